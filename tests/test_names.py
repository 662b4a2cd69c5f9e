"""target-xero accepts the records of tap-xero with both kinds of names."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from singer_sdk.contrib.msgspec import MsgSpecWriter

from singer_xero.objects import OBJECTS
from tap_xero.tap import TapXero
from target_xero.write_specs.rows import WRITE_SPECS, parser_of
from xero_sandbox import Sandbox, apps

Records = dict[str, list[dict[str, Any]]]


class Recorder(MsgSpecWriter):
    """Stores the records for stdout."""

    def __init__(self) -> None:
        self.records: Records = {}

    def write_message(self, message: Any) -> None:
        told = msgspec.json.decode(self.format_message(message))
        if told["type"] == "RECORD":
            self.records.setdefault(told["stream"], []).append(told["record"])


@pytest.fixture(scope="module")
def company(running_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Records]:
    """The demo company with Xero's names, in snake_case, and in snake_case with nested tables."""
    running_sandbox.admin.reset()
    running_sandbox.admin.limits(enabled=False)
    found = {}
    for name, settings in {
        "xero": {},
        "snake": {"field_names": "snake_case"},
        "lifted": {"field_names": "snake_case", "nested_tables": True},
    }.items():
        recorder = Recorder()
        config = {
            **apps.CUSTOM_CONNECTION.settings(running_sandbox.url),
            "token_path": str(tmp_path_factory.mktemp("tokens") / "tokens.json"),
            **settings,
        }
        tap = TapXero(config=config, message_writer=recorder)
        try:
            tap.sync_all()
        finally:
            tap.close()
        assert tap.failures == []
        found[name] = recorder.records
    return found


@pytest.mark.parametrize("names", ["snake", "lifted"])
@pytest.mark.parametrize("stream", [name for name in WRITE_SPECS if name in OBJECTS])
def test_the_target_takes_snake_case_for_what_xero_calls_it(
    company: dict[str, Records], stream: str, names: str
) -> None:
    form, other = parser_of(WRITE_SPECS[stream]), parser_of(WRITE_SPECS[stream])
    records = [company[one].get(stream, []) for one in ("xero", names)]
    for theirs, ours in zip(*records, strict=True):
        taken, again = form.take(theirs), other.take(ours)
        assert (again.sent, again.aside, again.problems) == (taken.sent, taken.aside, taken.problems)


def test_there_is_something_to_compare(company: dict[str, Records]) -> None:
    written = {name: len(company["xero"].get(name, [])) for name in WRITE_SPECS}
    assert sum(1 for number in written.values() if number) > 15
    assert all(len(company[names]["quotes"]) == written["quotes"] > 50 for names in ("snake", "lifted"))
