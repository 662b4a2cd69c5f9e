"""Runs the classic tap-xero from PyPI against another host, because Xero's addresses are hard-coded in it.

python classic_tap.py catalog                       # prints a catalog that contains only invoices
python classic_tap.py http://127.0.0.1:1234 --config config.json --catalog catalog.json
"""

import json
import sys

import requests
import tap_xero.client

import tap_xero


def catalog():
    """The entry that its discovery makes for invoices, selected. The discovery itself would make calls."""
    (stream,) = [each for each in tap_xero.streams_.all_streams if each.tap_stream_id == "invoices"]
    schema = tap_xero.load_schema("invoices")
    metadata = tap_xero.load_metadata(stream, schema)
    for entry in metadata:
        if not entry["breadcrumb"]:
            entry["metadata"]["selected"] = True
    entry = {"stream": "invoices", "tap_stream_id": "invoices", "key_properties": stream.pk_fields}
    return {"streams": [{**entry, "schema": schema, "metadata": metadata}]}


class LocalSession(requests.Session):
    """Sends the requests for Xero's identity service to the local server."""

    def request(self, method, url, *given, **options):
        """Replace the host and send the request."""
        return super().request(method, url.replace("https://identity.xero.com", base), *given, **options)


if __name__ == "__main__":
    base = sys.argv.pop(1)
    if base == "catalog":
        print(json.dumps(catalog()))
    else:
        tap_xero.client.BASE_URL = f"{base}/api.xro/2.0"
        requests.Session = LocalSession
        tap_xero.main()
