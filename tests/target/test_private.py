"""The target's files are private and in no other place."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from target_xero.intake.spool import SpoolFile

from .conftest import Wiring, record, schema

BAD = [schema("contacts", "id"), record("contacts", id="bad", Name="Bad", EmailAddress="nowhere")]


@pytest.fixture(autouse=True)
def loose_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def test_the_file_of_rejects_is_private(wiring: Wiring) -> None:
    path = wiring.folder / "out" / "rejects.singer"
    wiring.write(*BAD, rejects_path=str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.chmod(0o644)
    wiring.write(*BAD, rejects_path=str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_link_in_place_of_the_rejects_is_not_followed(wiring: Wiring, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (wiring.folder / "rejects.singer").symlink_to(victim)
    run = wiring.write(*BAD)
    assert "rejects_path" in str(run.error)
    assert "it is a symbolic link, which is not followed" in str(run.error)
    assert victim.read_text() == "precious"


def test_the_temporary_file_has_no_name_and_is_private(
    wiring: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: list[tuple[int, int]] = []
    close = SpoolFile.close

    def look(file: SpoolFile) -> None:
        if not file._file.closed:
            status = os.fstat(file._file.fileno())
            modes.append((stat.S_IMODE(status.st_mode), status.st_nlink))
        close(file)

    monkeypatch.setattr(SpoolFile, "close", look)
    wiring.write(schema("contacts", "id"), record("contacts", id="1", Name="One"))
    assert len(modes) >= 2
    assert set(modes) == {(0o600, 0)}
