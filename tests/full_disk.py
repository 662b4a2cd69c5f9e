"""Programs with full file systems of their own."""

from __future__ import annotations

import shutil
import subprocess

import pytest


def of_its_own(*mounts: str) -> tuple[str, ...]:
    """The start of a command line that runs the rest with its own file systems, mounted by these shell lines."""
    unshare = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-ec")
    if not shutil.which("unshare") or _fails(*unshare, "true"):
        pytest.skip("this machine lets nobody mount file systems of his own (unshare --user --mount)")
    return (*unshare, "\n".join((*mounts, 'exec "$@"')), "sh")


def _fails(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode != 0
