"""Everything that can be read by Xero's API definition is a stream, part of one, or excluded for a reason."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from singer_xero.objects import EXCLUSIONS, OBJECTS, REPORTS, STREAMS, SUBRESOURCES

DEFINITION = Path(__file__).resolve().parents[2] / "shared" / "xero-openapi" / "xero_accounting.yaml"


@pytest.fixture(scope="module")
def gets() -> dict[str, dict[str, Any]]:
    """The addresses that can be read, with their definitions."""
    if not DEFINITION.exists():
        pytest.skip("Xero's API definition does not lie beside this checkout")
    paths = yaml.safe_load(DEFINITION.read_text(encoding="utf-8"))["paths"]
    return {path: verbs["get"] for path, verbs in paths.items() if "get" in verbs}


def streams_of(path: str) -> set[str]:
    """The streams that read an address."""
    plain = re.sub(r"\{\w+\}", "{id}", path.strip("/"))
    found = {name for name, xero in STREAMS.items() if xero.path == plain}
    # A single record is read only if its list lacks fields.
    found |= {name for name, xero in OBJECTS.items() if plain == f"{xero.path}/{{id}}"}
    # The stream that lists files also fetches them.
    files = {
        name for name, detail in SUBRESOURCES.items() if detail.files and plain == f"{detail.path}/{{id}}"
    }
    return found | (files if path.endswith("{AttachmentID}") else set())


def reason(path: str) -> str | None:
    return next(
        (why for pattern, why in EXCLUSIONS.items() if fnmatch(path, re.sub(r"\[", "[[]", pattern))), None
    )


def test_every_get_is_read_or_left_out_for_a_reason(gets: dict[str, Any]) -> None:
    assert len(gets) > 100
    assert [path for path in gets if not streams_of(path) and not reason(path)] == []


def test_no_reason_is_given_for_what_is_not_there(gets: dict[str, Any]) -> None:
    unused = [p for p in EXCLUSIONS if not any(fnmatch(path, p) for path in gets)]
    assert unused == []


def plain_paths(definition: Path) -> dict[str, dict[str, Any]]:
    """The addresses of an API that can be read, without the names of their ids."""
    if not definition.exists():
        pytest.skip("Xero's API definition does not lie beside this checkout")
    paths = yaml.safe_load(definition.read_text(encoding="utf-8"))["paths"]
    found: dict[str, dict[str, Any]] = {}
    for path, verbs in paths.items():
        if "get" in verbs:
            found.setdefault(re.sub(r"\{\w+\}", "{id}", path.strip("/")), verbs["get"])
    return found


APIS = sorted({row.api.name for row in STREAMS.values()})


@pytest.mark.parametrize("api", APIS)
def test_every_stream_asks_what_there_is(api: str) -> None:
    known = plain_paths(DEFINITION.with_name(f"xero_{api.lower()}.yaml"))
    rows = {name: row.path for name, row in STREAMS.items() if row.api.name == api}
    assert rows
    assert {name: path for name, path in rows.items() if path not in known} == {}


@pytest.mark.parametrize("api", APIS)
def test_a_stream_s_parameters_are_those_that_the_address_takes(api: str) -> None:
    known = plain_paths(DEFINITION.with_name(f"xero_{api.lower()}.yaml"))
    for name, xero in STREAMS.items():
        if xero.api.name != api:
            continue
        parameters = known[xero.path].get("parameters", [])
        taken = {str(one.get("name") or one["$ref"].rpartition("/")[2]).lower() for one in parameters}
        walked = {parameter for walk in xero.walks for parameter in walk}
        asked = {*xero.params, *walked, *(REPORTS[name].takes if name in REPORTS else ())}
        assert {one.lower() for one in asked} <= taken, name


def test_single_reads_are_streams_where_they_tell_more_than_their_list() -> None:
    told_by_singles = {"contacts", "invoices", "quotes"}
    assert {detail.of.name for detail in SUBRESOURCES.values() if not detail.below} == told_by_singles
    assert {name for name, xero in OBJECTS.items() if xero.detail} == {
        "budgets",
        "contact_groups",
        "receipts",
        "reports",
    }
