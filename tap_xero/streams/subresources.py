"""Streams of subresources, such as the history of invoices."""

from __future__ import annotations

from singer_xero.objects import Subresource
from singer_xero.organisations import Organisation
from tap_xero.reads.subresource_read import SubresourceRead, SubresourceReader
from tap_xero.run import Run
from tap_xero.sdk import SdkTap
from tap_xero.streams.stream import XeroStream


class SubresourceStream(XeroStream):
    """What belongs to the records of one list.

    Read whole by default, since it may change without the record's time of change; chosen to be incremental, only
    records that changed are asked, and a run that breaks off goes on where it was.
    """

    def __init__(self, tap: SdkTap, run: Run, subresource: Subresource) -> None:
        self.subresource = subresource
        super().__init__(tap, run, subresource)

    def make_reader(self) -> SubresourceReader:
        """Make what reads the answers."""
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
