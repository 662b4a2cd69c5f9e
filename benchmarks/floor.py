"""The bare work, without an SDK, a state, limits, or care for rows that move: bytes, decode, dates, message, stdout.

    python floor.py config.json       # api_url, tenant_id, access_token

Nothing that reads Xero into Singer messages with exact decimals and real dates can do less in Python.
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
    """How many pages there are."""

    pageCount: int  # noqa: N815


class Page(msgspec.Struct):
    """Records are decoded one by one: a thousand at once are slower, for the caches and for the garbage collector."""

    Invoices: list[msgspec.Raw]
    pagination: Pagination


class Days(dict):
    """`/Date(…)/` to a day, each made once."""

    def __missing__(self, text):
        found = self[text] = (EPOCH + timedelta(milliseconds=int(text[6:-7]))).date().isoformat()
        return found


class Dates(dict):
    """The number of a day to its date."""

    def __missing__(self, number):
        found = self[number] = (EPOCH + timedelta(days=number)).date().isoformat()
        return found


def main(config):
    """Copy all invoices to stdout."""
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
    with open(sys.argv[1]) as file:  # noqa: PTH123
        main(json.load(file))
