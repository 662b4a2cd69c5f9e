"""The Python environment in `.venv`, with nothing but Python and pip to start from.

    python3 demo/install.py test        # what the tests need
    python3 demo/install.py demo        # what the demo needs

uv does the work when it is there. Where it is not, pip fetches it into `.demo/uv` first: that takes a few
seconds and saves many more. Where that fails too (no wheel of uv's for the machine), it is venv and pip.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from demo.screen import Step, say, step

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed.json"
OLDEST = (3, 11)
LEFT_OUT = {"PYTHONDONTWRITEBYTECODE", "PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT"}


class InstallError(Exception):
    """The environment could not be made; the text holds the failing program's own words."""


def environment() -> dict[str, str]:
    """Environment for child processes, without another venv's marks and without the ban on .pyc files.

    That ban makes every start of Meltano slow. And uv reads none of pip's settings, so a package mirror that
    pip is told of by PIP_INDEX_URL is passed on to it.
    """
    passed = {name: value for name, value in os.environ.items() if name not in LEFT_OUT}
    if "PIP_INDEX_URL" in passed and "UV_INDEX_URL" not in passed:
        passed.setdefault("UV_DEFAULT_INDEX", passed["PIP_INDEX_URL"])
    return passed


def installed(extra: str) -> bool:
    """Whether `.venv` holds this extra, as pyproject.toml asks for it now."""
    return PYTHON.exists() and _stamp().get(extra) == fingerprint()


def installed_by() -> str:
    """Return the installer that made `.venv` what it is: `uv` or `pip`."""
    return _stamp().get("by", "uv")


def fingerprint() -> str:
    """Identify pyproject.toml's text: when it changes, what is installed must follow."""
    return hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()


def install(extra: str, current: Step) -> None:
    """Make `.venv` with the project (editable) and one of its extras, or bring it up to date.

    Raises:
        InstallError: no fitting Python, no network, ...
    """
    if installed(extra):
        current.note = f".venv is up to date ({_version(PYTHON)})"
        return
    uv = _uv(current)
    refused = []
    for way in [uv, None] if uv else [None]:
        try:
            _make_venv(way, current)
            _fill_venv(way, f"{ROOT}[{extra}]", current)
            break
        except InstallError as error:
            refused.append(str(error))
    else:
        raise InstallError("\n\n".join(refused))
    by = "uv" if way else "pip"
    STAMP.write_text(json.dumps({**_stamp(), "at": str(VENV), "by": by, extra: fingerprint()}))
    current.note = f".venv with singer-xero[{extra}], by {by} ({_version(PYTHON)})"


def _stamp() -> dict[str, str]:
    try:
        stamp: dict[str, str] = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return stamp


def _version(python: str | Path) -> str | None:
    """Version as `Python 3.11.7`, or None when it does not run or is older than we can use."""
    code = f"import sys; assert sys.version_info >= {OLDEST}; print('Python', sys.version.split()[0])"
    try:
        command = [python, "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment())
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _interpreter() -> str:
    names = [sys.executable, *(shutil.which(f"python3.{minor}") for minor in (14, 13, 12, 11))]
    for name in filter(None, names):
        if _version(name):
            return str(name)
    raise InstallError(f"{_wanted()} is needed; this is Python {sys.version.split()[0]}, and PATH has none")


def _wanted() -> str:
    return f"Python {'.'.join(map(str, OLDEST))} or newer"


def _uv(current: Step) -> str | None:
    """Where uv is: on PATH, else in `.demo/uv`, fetched there by pip when need be; None when that fails."""
    fetched = ROOT / ".demo" / "uv"
    if found := shutil.which("uv") or shutil.which("uv", path=str(fetched / "bin")):
        return found
    current.progress("fetching uv with pip (it installs the rest faster)")
    # --target touches no environment, so Debian's "externally managed" Python lets it pass.
    pip = [_interpreter(), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    try:
        _run([*pip, "--target", str(fetched), "uv"])
    except InstallError:
        shutil.rmtree(fetched, ignore_errors=True)
    return shutil.which("uv", path=str(fetched / "bin"))


def _make_venv(uv: str | None, current: Step) -> None:
    """Make `.venv`, unless it is there and works."""
    # A venv does not survive being moved: its programs name the folder that they were installed into.
    if _version(PYTHON) and _stamp().get("at", str(VENV)) == str(VENV):
        return
    if VENV.exists() and not STAMP.exists():
        raise InstallError(f"{VENV} is there, but no working Python of {_wanted()}: please move it away")
    current.progress("making .venv")
    python = _interpreter()
    command = [uv, "venv", "--python", python, "--seed"] if uv else [python, "-m", "venv"]
    try:
        shutil.rmtree(VENV, ignore_errors=True)
        _run([*command, str(VENV)])
    except BaseException:
        shutil.rmtree(VENV, ignore_errors=True)
        raise


def _fill_venv(uv: str | None, target: str, current: Step) -> None:
    """Install the target, editable, with what it needs."""
    what = "installing singer-xero and what it needs into .venv"
    if uv:
        current.progress(f"{what} with uv")
        _run([uv, "pip", "install", "--python", str(PYTHON), "--editable", target])
        return
    current.progress(f"{what} with pip, which takes a while")
    pip = [str(PYTHON), "-m", "pip"]
    try:
        _run([*pip, "--version"])
    except InstallError:
        _run([str(PYTHON), "-m", "ensurepip"])
    _run([*pip, "install", "--disable-pip-version-check", "--editable", target])


def _run(command: Sequence[str | Path]) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    except OSError as error:
        raise InstallError(f"{command[0]} did not start: {error}") from error
    if done.returncode:
        shown = " ".join(map(str, command))
        raise InstallError(f"`{shown}` failed ({done.returncode}):\n{done.stdout.strip()}")


def main(extra: str) -> int:
    """Make the environment and show it; the exit code."""
    try:
        with step("Python environment") as current:
            install(extra, current)
    except InstallError as error:
        say(f"\n{error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) == 2 else "test"))
