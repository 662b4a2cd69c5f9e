"""Streams of subresources, such as the history of invoices."""

from __future__ import annotations

from singer_xero.objects import Subresource
from singer_xero.organisations import Organisation
from tap_xero.reads.subresource_read import SubresourceRead, SubresourceReader
from tap_xero.run import Run
from tap_xero.sdk import SdkTap
from tap_xero.streams.stream import XeroStream


class SubresourceStream(XeroStream):
    """The subresources of the records of one list.

    It is a full table by default, since subresources may change without the record's time of change. If the catalog
    chooses incremental replication, only changed records are read, and an interrupted run continues.
    """

    def __init__(self, tap: SdkTap, run: Run, subresource: Subresource) -> None:
        self.subresource = subresource
        super().__init__(tap, run, subresource)

    def make_reader(self) -> SubresourceReader:
        """Make the reader of its answers."""
        needed = self.subresource.own_key
        return SubresourceReader(self.subresource, self.logger, keep=self.projection.keeps, needed=needed)

    @property
    def reads(self) -> tuple[str, ...]:
        """The list of the records."""
        return (self.subresource.of.name,)

    def list_read(self, organisation: Organisation) -> SubresourceRead:
        """Make the read of an organisation's subresources, from the bookmark on."""
        given = self.beginning(organisation)
        return SubresourceRead(self.run.source, organisation, self.subresource, self.reader, **given)
