"""Invoices as various as the demo company's: one line or twelve, paid or not, with tracking, currencies and discounts.

Each is one of the demo company's own, as the sandbox answers a list, with a number and a time of change of its own.
"""

from __future__ import annotations

import json
import urllib.request
from base64 import b64encode
from urllib.parse import urlencode

import msgspec

from benchmarks.invoices import changed_ms, digits_of, guid_of
from xero_sandbox import Sandbox, apps


class Varied:
    """Makes invoices from the number alone."""

    def __init__(self) -> None:
        with Sandbox(limits=False) as sandbox:
            self._parts = [self._split(raw) for raw in self._read(sandbox.url)]

    def invoice(self, number: int) -> str:
        """One invoice as JSON."""
        before, between, after = self._parts[number % len(self._parts)]
        guid = guid_of(digits_of(number, b"invoice")[:32])
        return f"{before}{guid}{between}/Date({changed_ms(number)}+0000)/{after}"

    @staticmethod
    def _read(url: str) -> list[bytes]:
        app = apps.CUSTOM_CONNECTION
        basic = b64encode(f"{app.client_id}:{app.client_secret}".encode()).decode()
        request = urllib.request.Request(
            f"{url}/connect/token",
            urlencode({"grant_type": "client_credentials"}).encode(),
            {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"},
        )
        with urllib.request.urlopen(request) as answer:
            bearer = f"Bearer {json.load(answer)['access_token']}"
        found: list[bytes] = []
        for page in range(1, 1000):
            headers = {"Authorization": bearer, "Accept": "application/json"}
            address = f"{url}/api.xro/2.0/Invoices?page={page}&pageSize=1000&unitdp=4"
            with urllib.request.urlopen(urllib.request.Request(address, headers=headers)) as answer:
                rows = msgspec.json.decode(answer.read(), type=_List).Invoices
            found += map(bytes, rows)
            if len(rows) < 1000:
                break
        return found

    @staticmethod
    def _split(raw: bytes) -> tuple[str, str, str]:
        """An invoice in three pieces, without its id and its time of change, which stands at the end."""
        fields = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        fields["InvoiceID"] = msgspec.Raw(b'"<id>"')
        fields.pop("UpdatedDateUTC")
        fields["UpdatedDateUTC"] = msgspec.Raw(b'"<changed>"')
        before, _, rest = msgspec.json.encode(fields).decode().partition("<id>")
        between, _, after = rest.partition("<changed>")
        return before, between, after


class _List(msgspec.Struct):
    Invoices: list[msgspec.Raw]
