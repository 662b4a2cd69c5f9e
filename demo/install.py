"""Creates the Python environment in `.venv`; needs only Python and pip.

    python3 demo/install.py test        # what the tests need
    python3 demo/install.py demo        # what the demo needs

It uses uv. If uv is missing, pip first installs it into `.demo/uv`, which takes seconds and saves more. If that
fails (uv has no wheel for the machine), it uses venv and pip.
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
    """The environment could not be created; the text has the output of the program that failed."""


def environment() -> dict[str, str]:
    """The environment of child processes, without the variables of another venv and with .pyc files.

    Without .pyc files, every start of Meltano is slow. uv does not read pip's settings, so a package mirror in
    PIP_INDEX_URL is passed on to it.
    """
    passed = {name: value for name, value in os.environ.items() if name not in LEFT_OUT}
    if "PIP_INDEX_URL" in passed and "UV_INDEX_URL" not in passed:
        passed.setdefault("UV_DEFAULT_INDEX", passed["PIP_INDEX_URL"])
    return passed


def installed(extra: str) -> bool:
    """Whether `.venv` has this extra in the version of the current pyproject.toml."""
    return PYTHON.exists() and _stamp().get(extra) == fingerprint()


def installed_by() -> str:
    """Return the installer that filled `.venv`: `uv` or `pip`."""
    return _stamp().get("by", "uv")


def fingerprint() -> str:
    """Return a hash of pyproject.toml; the environment is updated when it changes."""
    return hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()


def install(extra: str, current: Step) -> None:
    """Create or update `.venv` with the project (editable) and one of its extras.

    Raises:
        InstallError: there is no suitable Python, no network, ...
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
    """The version as `Python 3.11.7`; None if it does not run or is too old."""
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
    """The path of uv, on PATH or in `.demo/uv`, where pip installs it if needed; None if that fails."""
    fetched = ROOT / ".demo" / "uv"
    if found := shutil.which("uv") or shutil.which("uv", path=str(fetched / "bin")):
        return found
    current.progress("fetching uv with pip (it installs the rest faster)")
    # --target changes no environment, so Debian's "externally managed" Python allows it.
    pip = [_interpreter(), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    try:
        _run([*pip, "--target", str(fetched), "uv"])
    except InstallError:
        shutil.rmtree(fetched, ignore_errors=True)
    return shutil.which("uv", path=str(fetched / "bin"))


def _make_venv(uv: str | None, current: Step) -> None:
    """Create `.venv`, unless it exists and works."""
    # A venv cannot be moved: its programs contain the path of their folder.
    if _version(PYTHON) and _stamp().get("at", str(VENV)) == str(VENV):
        return
    if VENV.exists() and not STAMP.exists():
        raise InstallError(f"{VENV} exists but has no working Python ({_wanted()}): please move it away")
    current.progress("creating .venv")
    python = _interpreter()
    command = [uv, "venv", "--python", python, "--seed"] if uv else [python, "-m", "venv"]
    try:
        shutil.rmtree(VENV, ignore_errors=True)
        _run([*command, str(VENV)])
    except BaseException:
        shutil.rmtree(VENV, ignore_errors=True)
        raise


def _fill_venv(uv: str | None, target: str, current: Step) -> None:
    """Install the target, editable, with its dependencies."""
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
    """Create the environment and report it; returns the exit code."""
    try:
        with step("Python environment") as current:
            install(extra, current)
    except InstallError as error:
        say(f"\n{error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) == 2 else "test"))
