"""Commands that tests run."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


def output(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str]) -> str:
    """Run a command, which must succeed; returns its output, errors included."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))}:\n{done.stdout[-6000:]}"
    return done.stdout


def shell(commands: str, folder: Path, environment: Mapping[str, str]) -> str:
    """Run lines of a shell, all of which must succeed; returns their output, errors included."""
    return output(["sh", "-eu", "-c", commands], folder, environment)
