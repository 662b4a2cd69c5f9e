"""Invoices of the demo company, which differ in lines, payments, tracking, currencies and discounts.

The sandbox's list of invoices is repeated endlessly; each invoice gets its own id and time of change.
"""

from __future__ import annotations

import tempfile
from itertools import count

import msgspec

from benchmarks.invoices import changed_ms, digits_of, guid_of
from singer_xero.api.client import connect
from xero_sandbox import Sandbox, apps


class Varied:
    """Generates an invoice from its number."""

    def __init__(self) -> None:
        with Sandbox(limits=False) as sandbox:
            self._parts = [self._split(raw) for raw in self._read(sandbox.url)]

    def invoice(self, number: int) -> str:
        """The JSON of an invoice."""
        before, between, after = self._parts[number % len(self._parts)]
        guid = guid_of(digits_of(number, b"invoice")[:32])
        return f"{before}{guid}{between}/Date({changed_ms(number)}+0000)/{after}"

    @staticmethod
    def _read(url: str) -> list[bytes]:
        settings = apps.CUSTOM_CONNECTION.settings(url)
        wanted = {name: settings[name] for name in ("client_id", "client_secret", "api_url", "identity_url")}
        found: list[bytes] = []
        with tempfile.TemporaryDirectory() as folder:
            client = connect(**wanted, token_path=f"{folder}/tokens.json")
            for page in count(1):
                params = {"page": str(page), "pageSize": "1000", "unitdp": "4"}
                rows = msgspec.json.decode(client.get(None, "Invoices", params).content, type=_List).Invoices
                found += map(bytes, rows)
                if len(rows) < 1000:
                    break
            client.close()
        return found

    @staticmethod
    def _split(raw: bytes) -> tuple[str, str, str]:
        """Split an invoice around its id and its time of change, which is moved to the end."""
        fields = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        fields["InvoiceID"] = msgspec.Raw(b'"<id>"')
        fields.pop("UpdatedDateUTC")
        fields["UpdatedDateUTC"] = msgspec.Raw(b'"<changed>"')
        before, _, rest = msgspec.json.encode(fields).decode().partition("<id>")
        between, _, after = rest.partition("<changed>")
        return before, between, after


class _List(msgspec.Struct):
    Invoices: list[msgspec.Raw]
