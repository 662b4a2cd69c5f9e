"""Installs dbt into its own environment, and runs it on the project in dbt/."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from demo import install

if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECT = install.ROOT / "dbt"
REQUIREMENTS = PROJECT / "requirements.txt"
NEWEST = 13
"""The newest Python 3 that dbt supports."""


class DbtError(Exception):
    """dbt could not be installed or failed; the text has the end of its output."""


def make_environment(folder: Path, requirements: Path = REQUIREMENTS) -> Path:
    """Create a virtual environment with dbt in `folder`, unless it exists, and return the path of dbt.

    Raises:
        DbtError: there is no suitable Python, no network, ...
    """
    program, stamp = folder / "bin" / "dbt", folder / "installed.json"
    python = _interpreter()
    wanted = {
        "requirements": hashlib.sha256(requirements.read_bytes()).hexdigest(),
        "at": str(folder),
        "python": python,
    }
    if program.exists() and stamp.exists() and json.loads(stamp.read_text()) == wanted:
        return program
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    uv = shutil.which("uv") or shutil.which("uv", path=str(install.ROOT / ".demo" / "uv" / "bin"))
    if uv:
        _run([uv, "venv", "--quiet", "--python", python, str(folder)])
        _run(
            [
                uv,
                "pip",
                "install",
                "--quiet",
                "--python",
                str(folder / "bin" / "python"),
                "-r",
                str(requirements),
            ]
        )
    else:
        _run([python, "-m", "venv", str(folder)])
        pip = [
            str(folder / "bin" / "python"),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]
        _run([*pip, "-r", str(requirements)])
    stamp.write_text(json.dumps(wanted))
    return program


def _interpreter() -> str:
    if sys.version_info[1] <= NEWEST:
        return os.path.realpath(sys.executable)
    found = next(filter(None, (shutil.which(f"python3.{minor}") for minor in (13, 12, 11))), None)
    if found is None:
        raise DbtError(f"dbt needs Python 3.11 to 3.{NEWEST} on PATH; this one is newer")
    return found


def _done(
    command: list[str], environment: dict[str, str], folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def _run(command: list[str]) -> None:
    done = _done(command, install.environment())
    if done.returncode:
        raise DbtError(f"`{' '.join(command)}` failed ({done.returncode}):\n{done.stdout.strip()[-3000:]}")


def postgres_settings(url: str) -> dict[str, str]:
    """Return the environment variables with which dbt's profile finds a PostgreSQL."""
    parts = urlsplit(url)
    return {
        "XERO_LEDGER_TARGET": "postgres",
        "TARGET_POSTGRES_HOST": parts.hostname or "localhost",
        "TARGET_POSTGRES_PORT": str(parts.port or 5432),
        "TARGET_POSTGRES_USER": unquote(parts.username or ""),
        "TARGET_POSTGRES_PASSWORD": unquote(parts.password or ""),
        "TARGET_POSTGRES_DATABASE": parts.path.lstrip("/"),
    }


def run(
    program: Path,
    arguments: list[str],
    settings: Mapping[str, str],
    folder: Path,
    *,
    variables: Mapping[str, object] | None = None,
    project: Path = PROJECT,
) -> str:
    """Run dbt on the project with settings as environment variables; its files go to `folder`.

    Raises:
        DbtError: dbt failed; the text has its output.
    """
    kept = {
        name: value
        for name, value in install.environment().items()
        if not name.startswith(("DBT_", "TARGET_", "XERO_", "MELTANO_"))
    }
    kept |= {
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DBT_PROFILES_DIR": str(project),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
        "DBT_USE_COLORS": "false",
        **settings,
    }
    command = [str(program), *arguments]
    if variables:
        command += ["--vars", json.dumps(dict(variables))]
    done = _done(command, kept, project)
    if done.returncode:
        said = [line for line in done.stdout.splitlines() if not re.search(r" (START|OK|PASS) ", line)]
        raise DbtError("\n".join(said)[-6000:])
    return done.stdout
