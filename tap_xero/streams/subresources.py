"""Streams of subresources, such as the history of invoices."""

from __future__ import annotations

from functools import cached_property

from singer_xero.objects import Subresource
from singer_xero.organisations import Organisation
from tap_xero.reads.subresource_read import SubresourceRead, SubresourceReader
from tap_xero.streams.stream import XeroStream


class SubresourceStream(XeroStream):
    """The subresources of the records of one list.

    It is a full table by default, since subresources may change without the record's time of change. If the catalog
    chooses incremental replication, only changed records are read, and an interrupted run continues.
    """

    xero: Subresource

    @cached_property
    def reader(self) -> SubresourceReader:
        """Reads its answers."""
        needed = self.xero.own_key
        return SubresourceReader(self.xero, self.logger, keep=self.projection.keeps, needed=needed)

    @property
    def reads(self) -> tuple[str, ...]:
        """The list of the records."""
        return (self.xero.of.name,)

    def list_read(self, organisation: Organisation) -> SubresourceRead:
        """Make the read of an organisation's subresources, from the bookmark on."""
        given = self.beginning(organisation)
        return SubresourceRead(self.run.source, organisation, self.xero, self.reader, **given)
