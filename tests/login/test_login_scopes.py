"""The requested scopes, the streams that they give access to, and the table of both."""

from __future__ import annotations

from pathlib import Path

import pytest

from singer_xero.api.scope_advice import RESERVED
from singer_xero.objects import STREAMS
from singer_xero.scopes import ROWS, access, broad_scopes, read_scopes, write_scopes
from tools.scopes import scopes
from xero_sandbox import apps

PAGE = Path(__file__).resolve().parents[2] / "docs" / "connecting.md"


def test_the_default_scopes_give_access_to_all_streams_without_reserved_scopes() -> None:
    opened = access(read_scopes())
    assert set(opened.missing) <= RESERVED.keys()
    assert set(opened.streams) | {name for names in opened.missing.values() for name in names} == {
        row.name for row in ROWS
    }
    assert "journals" in opened.missing["accounting.journals.read"]
    assert opened.writing == ()


def test_the_broad_scopes_give_access_to_no_fewer_streams() -> None:
    assert set(access(read_scopes()).streams) <= set(access(broad_scopes()).streams)
    assert set(access(broad_scopes(write=True)).writing) >= {
        "accounting.contacts",
        "accounting.settings",
        "accounting.transactions",
    }


@pytest.mark.parametrize("asked", [read_scopes(), write_scopes(), broad_scopes(), broad_scopes(write=True)])
def test_only_scopes_that_xero_has_are_requested_each_once(asked: tuple[str, ...]) -> None:
    assert set(asked) <= apps.EVERY
    assert len(set(asked)) == len(asked)
    assert asked[0] == "offline_access"
    assert not set(asked) & RESERVED.keys()


def test_a_new_app_may_request_the_default_scopes() -> None:
    today = apps.App("id", None, apps.PKCE, "of today", granular_only=True, tier="starter")
    for asked in (read_scopes(), write_scopes()):
        assert set(asked) <= today.allowed()


def test_every_scope_gives_access_to_streams_and_missing_ones_are_named_with_them() -> None:
    nothing = access([])
    assert nothing.streams == ()
    assert {"contact_groups", "contacts"} <= set(nothing.missing["accounting.contacts.read"])
    assert sum(map(len, nothing.missing.values())) == len(ROWS)


def test_a_write_scope_includes_read_access() -> None:
    opened = access(["accounting.contacts"])
    assert {"contact_groups", "contacts"} <= set(opened.streams)
    assert opened.writing == ("accounting.contacts",)


def test_the_page_has_the_table_of_the_registry() -> None:
    table = (
        PAGE.read_text(encoding="utf-8").partition("<!-- scopes -->\n")[2].partition("\n<!-- /scopes -->")[0]
    )
    assert table == scopes(), "run python -m tools.transcript scopes"
    for name in STREAMS:
        assert f"`{name}`" in table
