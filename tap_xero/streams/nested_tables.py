"""Nested tables: the lists inside records as streams, without further calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from singer_xero.objects import NestedTable
from tap_xero.records.projection import UNKNOWN
from tap_xero.records.reshape import TableReshape
from tap_xero.run import Run
from tap_xero.sdk import SdkTap
from tap_xero.streams.stream import XeroStream


class NestedTableStream(XeroStream):
    """A list inside the records of another stream, which reads it and keeps its bookmark.

    The SDK would sync a child stream once for each record of its parent, with a log line and a SCHEMA each time. Here
    the parent passes its records on.
    """

    xero: NestedTable

    def __init__(self, tap: SdkTap, run: Run, table: NestedTable, parent: XeroStream) -> None:
        self.parent = parent
        super().__init__(tap, run, table)
        self.parent_stream_type = type(parent)  # so that the SDK does not read it
        self._begun = False
        parent.nested.append(self)
        parent.child_streams.append(self)  # so that the SDK reads the parent even if only this is selected

    @property
    def is_open(self) -> bool:
        """Whether the parent may be read."""
        return self.parent.is_open

    @property
    def replication_key(self) -> str | None:
        """The parent's."""
        key = self.parent.replication_key
        return key if key and self.xero.cursor else None

    @replication_key.setter
    def replication_key(self, new_value: str | None) -> None:
        """Ignored: it follows from the parent."""

    @property
    def replication_method(self) -> str:
        """The parent's."""
        return self.parent.replication_method

    def get_records(self, context: Mapping[str, Any] | None) -> Iterator[dict[str, Any]]:  # noqa: ARG002
        """None: the parent passes them on."""
        return iter(())

    def begin(self, version: int | None) -> None:
        """Write the SCHEMA before the parent's first record; `version` is that of a full table."""
        self.version = version
        if not self._begun:
            self._begun = True
            self.write_schema()

    def finalize_state_progress_markers(self, state: dict[str, Any] | None = None) -> None:
        """End the stream; it is complete if the parent was read completely."""
        self.incomplete = self.parent.incomplete
        super().finalize_state_progress_markers(state)

    @property
    def _reader_of_rows(self) -> XeroStream:
        """The parent."""
        return self.parent

    def records_in(self, record: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The records of this list in a record of the parent, by Xero's names."""
        return [self.projection.record(one) for one in self.elements(record)]

    @cached_property
    def _reshape(self) -> TableReshape:
        return TableReshape(self.xero, self.projection)

    def records_in_tree(self, tree: Any, tenant_id: str) -> list[Any]:
        """The same as trees, from the tree of a record; see `RecordReader.undecoded`."""
        return self._reshape.records(tree, tenant_id)

    def write(self, record: dict[str, Any], tenant_id: str) -> None:
        """Write one of them."""
        record["tenant_id"] = tenant_id
        self.write_record(record)

    def elements(self, record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The elements of this list, with their unknown fields if those are kept."""
        unknown = record.get(UNKNOWN) or {}
        for place, element in self.xero.placed(record):
            own = {
                name.removeprefix(f"{place}."): value
                for name, value in unknown.items()
                if name.startswith(f"{place}.")
            }
            yield element | {UNKNOWN: own} if own else element
