"""The least that a Python program must do to write Singer records from Xero with exact decimals and real dates.

    python floor.py --config config.json       # api_url, tenant_id, access_token, page_size

It fetches, decodes, converts dates, encodes and writes. It has no SDK, no state and no limits, and ignores rows that
move between pages.
"""

import json
import sys
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import msgspec
import requests

EPOCH = datetime(1970, 1, 1)
decode = msgspec.json.Decoder(dict, float_hook=Decimal).decode
encoder = msgspec.json.Encoder(decimal_format="number")


class Pagination(msgspec.Struct):
    """Xero's pagination of a list."""

    pageCount: int  # noqa: N815


class Page(msgspec.Struct):
    """A page whose records are not decoded yet: decoding a thousand at once is slower than one by one."""

    Invoices: list[msgspec.Raw]
    pagination: Pagination


class Days(dict):
    """Maps `/Date(…)/` to an ISO date, and caches it."""

    def __missing__(self, text):
        found = self[text] = (EPOCH + timedelta(milliseconds=int(text[6:-7]))).date().isoformat()
        return found


class Dates(dict):
    """Maps days since 1970 to an ISO date, and caches it."""

    def __missing__(self, number):
        found = self[number] = (EPOCH + timedelta(days=number)).date().isoformat()
        return found


def main(config):
    """Write all invoices to stdout."""
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {config['access_token']}"
    session.headers["Xero-Tenant-Id"] = tenant_id = config["tenant_id"]
    session.headers["Accept"] = "application/json"
    days, dates = Days(), Dates()
    minutes = [f"T{minute // 60:02}:{minute % 60:02}:" for minute in range(1440)]
    write = sys.stdout.buffer.write
    split = msgspec.json.Decoder(Page).decode
    page = 1
    while True:
        params = {"page": page, "pageSize": config["page_size"], "order": "UpdatedDateUTC ASC"}
        answer = split(session.get(f"{config['api_url']}/api.xro/2.0/Invoices", params=params).content)
        block = bytearray()
        for raw in answer.Invoices:
            record = decode(raw)
            for name in ("Date", "DueDate", "FullyPaidOnDate"):
                if name in record:
                    record[name] = days[record[name]]
            minute, rest = divmod(int(record["UpdatedDateUTC"][6:-7]), 60_000)
            day, minute = divmod(minute, 1440)
            record["UpdatedDateUTC"] = f"{dates[day]}{minutes[minute]}{rest // 1000:02}.{rest % 1000:03}000Z"
            record["tenant_id"] = tenant_id
            message = {
                "type": "RECORD",
                "stream": "invoices",
                "record": record,
                "time_extracted": datetime.now(timezone.utc),
            }
            encoder.encode_into(message, block, -1)
            block += b"\n"
            if len(block) > 65536:
                write(block)
                block = bytearray()
        write(block)
        if page >= answer.pagination.pageCount:
            break
        page += 1


if __name__ == "__main__":
    with open(sys.argv[2]) as file:  # noqa: PTH123
        main(json.load(file))
