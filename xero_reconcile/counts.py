"""How many records Xero says that it has, beside the rows in the warehouse."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from singer_xero.api.client import XeroClient
from singer_xero.api.errors import XeroError
from singer_xero.connection import Connected
from singer_xero.objects import OBJECTS
from singer_xero.objects.base import Paging, XeroObject
from xero_reconcile.figures import Figure, Organisation, check_of
from xero_reconcile.warehouse import Warehouse


def compare_records(
    warehouse: Warehouse,
    connected: Connected,
    every: Iterable[Organisation],
    *,
    include_archived: bool = True,
) -> None:
    """Add to each organisation a figure for each table of a list: rows there, records at Xero.

    A list that Xero refuses is said not to be checked. Of journals, which Xero does not count, those are counted that
    are newer than the newest in the warehouse.
    """
    tables = warehouse.columns(warehouse.tables)
    headers = {one.tenant_id: one.header for one in connected.organisations}
    for organisation in every:
        if organisation.tenant_id not in headers:
            organisation.not_checked.append("Records: the tap's settings don't lead to this organisation")
            continue
        header = headers[organisation.tenant_id]
        for name, columns in sorted(tables.items()):
            xero = OBJECTS.get(name)
            if xero is None or xero.paging is Paging.OFFSET:
                continue
            try:
                there = _at_xero(connected.client, header, xero, include_archived=include_archived)
            except XeroError as error:
                organisation.not_checked.append(f"Records of {name}: {str(error).splitlines()[0]}")
                continue
            here = _rows(warehouse, name, columns, organisation.tenant_id)
            _add(organisation, name, here, there)
        if "journals" in tables:
            _compare_journals(warehouse, connected.client, header, organisation, tables["journals"])


def _add(organisation: Organisation, subject: str, here: int, there: int) -> None:
    check_of(organisation, "Records").figures.append(
        Figure(
            organisation.name,
            organisation.tenant_id,
            "Records",
            subject,
            subject,
            None,
            Decimal(here),
            Decimal(there),
        )
    )


def _rows(warehouse: Warehouse, table: str, columns: set[str], tenant_id: str) -> int:
    living = " AND _sdc_deleted_at IS NULL" if "_sdc_deleted_at" in columns else ""
    (row,) = warehouse.ask(
        f"SELECT count(*) AS number FROM {{tables}}.{table} WHERE tenant_id = '{_quoted(tenant_id)}'{living}"
    )
    return int(row["number"])


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def _at_xero(client: XeroClient, header: str | None, xero: XeroObject, *, include_archived: bool) -> int:
    """The number of records: from the `pagination` of a page, or else by counting the list."""
    params: dict[str, Any] = dict(xero.params)
    if xero.archived and include_archived:
        params["includeArchived"] = "true"
    if xero.paging is Paging.PAGES:
        answer: Mapping[str, Any] = client.get(
            header, xero.path, {**params, "page": 1, xero.api.size_param: 1}, api=xero.api
        ).json()
        return int(answer["pagination"]["itemCount"])
    if xero.paging is Paging.WHOLE:
        return len(client.get(header, xero.path, params).json().get(xero.envelope) or ())
    number, page = 0, 1
    while found := client.get(header, xero.path, {**params, "page": page}).json().get(xero.envelope):
        number, page = number + len(found), page + 1
    return number


def _compare_journals(
    warehouse: Warehouse,
    client: XeroClient,
    header: str | None,
    organisation: Organisation,
    columns: set[str],
) -> None:
    name = "journal_number" if "journal_number" in columns else '"JournalNumber"'
    (row,) = warehouse.ask(
        f"SELECT max({name}) AS newest FROM {{tables}}.journals WHERE tenant_id = '{_quoted(organisation.tenant_id)}'"
    )
    if row["newest"] is None:
        return
    journals = OBJECTS["journals"]
    try:
        answer = client.get(header, journals.path, {"offset": int(row["newest"])}).json()
    except XeroError as error:
        organisation.not_checked.append(f"Records of journals: {str(error).splitlines()[0]}")
        return
    _add(organisation, "journals newer than the newest here", 0, len(answer.get(journals.envelope) or ()))
