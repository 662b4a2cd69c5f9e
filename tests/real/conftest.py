"""Each test runs with the sandbox, and again with a demo company of Xero's if the environment names one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .place import PREFIX, WHAT_TO_SET, NotNamed, Place, Run, Seen, Undo, at_xero, sandbox

HERE = Path(__file__).parent
SEEN = pytest.StashKey[Seen]()
Note = Callable[[str, Any], None]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Report once, and not for every test, that no demo company is named."""
    if os.environ.get(f"{PREFIX}CLIENT_ID") and os.environ.get(f"{PREFIX}TENANT"):
        return
    for item in items:
        if (
            item.path.is_relative_to(HERE)
            and getattr(item, "callspec", None)
            and item.callspec.params.get("place") == "Xero"
        ):
            item.add_marker(pytest.mark.skip(reason=WHAT_TO_SET))


@pytest.fixture(scope="session")
def seen(request: pytest.FixtureRequest) -> Seen:
    return request.config.stash.setdefault(SEEN, Seen())


@pytest.fixture(scope="session", params=["sandbox", "Xero"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("place")
    if request.param == "sandbox":
        with sandbox(folder) as found:
            yield found
        return
    try:
        with at_xero(folder) as found:
            yield found
    except NotNamed as why:
        pytest.skip(str(why))


@pytest.fixture(scope="session")
def first_run(place: Place) -> Run:
    """All streams that the token can read, read once."""
    run = place.tap()
    assert run.code == 0, run.log
    return run


@pytest.fixture
def note(place: Place, seen: Seen) -> Note:
    """Notes a behaviour; differences between Xero and the sandbox are reported at the end, and fail no test."""
    return lambda what, value: seen.note(place.name, what, value)


@pytest.fixture
def undo(place: Place) -> Iterator[Undo]:
    """Lets a test write, and runs its clean-up steps afterwards in reverse order, whatever happened."""
    if place.no_writes:
        pytest.skip(place.no_writes)
    steps: list[Callable[[], object]] = []
    yield steps.append
    failures = []
    for step in reversed(steps):
        try:
            step()
        except Exception as error:
            failures.append(str(error))
    assert not failures, f"left behind at {place.name}: {failures}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Report where Xero answered differently from the sandbox, also in the file XERO_TEST_REPORT."""
    seen = config.stash.get(SEEN, None)
    if seen is None or not seen.compared():
        return
    different = seen.differences()
    terminalreporter.section("Xero and the sandbox")
    terminalreporter.write_line(
        f"{seen.compared()} things were looked at in both, {len(different)} of them differ."
    )
    for what, here, there in different:
        terminalreporter.write_line(f"- {what}\n    sandbox: {here}\n    Xero:    {there}")
    if report := os.environ.get(f"{PREFIX}REPORT"):
        Path(report).write_text(json.dumps(seen.at, indent=2, default=str, sort_keys=True), encoding="utf-8")
