"""A stand-in for MeltanoLabs' tap-csv with the settings of the recipe, because that is on no package index.

`files` has the path of a file, its `entity` (the stream), `keys` and `encoding`. Every cell is text, and a
column has the name of its heading. The tests run the real one if TEST_TAP_CSV names it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

from singer_sdk import Stream, Tap
from singer_sdk import typing as th


class Rows(Stream):
    """The rows of one file."""

    def __init__(self, tap: Tap, file: dict[str, Any]) -> None:
        self._file = file
        super().__init__(tap, name=file["entity"])
        self._primary_keys = file["keys"]

    def _lines(self) -> Iterable[list[str]]:
        with Path(self._file["path"]).open(encoding=self._file.get("encoding", "utf-8"), newline="") as file:
            yield from csv.reader(file)

    @cached_property
    def schema(self) -> dict[str, Any]:
        head = next(iter(self._lines()))
        return th.PropertiesList(*(th.Property(name, th.StringType) for name in head)).to_dict()

    def get_records(self, context: Any) -> Iterable[dict[str, Any]]:
        head, *rows = self._lines()
        for row in rows:
            yield dict(zip(head, row, strict=False))


class StandInTapCsv(Tap):
    """Reads CSV files."""

    name = "tap-csv"
    config_jsonschema = th.PropertiesList(
        th.Property("files", th.ArrayType(th.ObjectType(additional_properties=True)), required=True)
    ).to_dict()

    def discover_streams(self) -> list[Rows]:
        return [Rows(self, file) for file in self.config["files"]]


if __name__ == "__main__":
    StandInTapCsv.cli()
