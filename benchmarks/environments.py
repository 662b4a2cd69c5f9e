"""A Python environment for each contender below `.bench/`, installed like its users would install it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".bench"

OURS, CLASSIC, TEMPLATE = "ours", "classic", "template"

PACKAGES = {
    OURS: [str(ROOT)],
    # The classic tap imports six without declaring it.
    CLASSIC: ["tap-xero", "six"],
    # The requirements of the SDK's template.
    TEMPLATE: ["singer-sdk~=0.54.9", "requests"],
    "meltano": ["meltano>=4.4,<5"],
    "target-postgres": ["meltanolabs-target-postgres~=0.8.1"],
    "target-duckdb": ["target-duckdb==0.8.0", "duckdb==1.0.0"],
    "target-jsonl": ["target-jsonl==0.1.4"],
}
#: The contenders of every comparison.
RIVALS = (OURS, CLASSIC, TEMPLATE)


def python_of(name: str) -> Path:
    """The Python of an environment."""
    return CACHE / name / "bin" / "python"


def program(name: str, command: str) -> Path:
    """The path of a command in an environment."""
    return CACHE / name / "bin" / command


def install(name: str) -> None:
    """Create an environment, or update it if its packages or sources have changed."""
    stamp = CACHE / name / "installed"
    wanted = _fingerprint(name)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"installing {' '.join(PACKAGES[name])} into {CACHE.name}/{name} …", file=sys.stderr)
    folder = CACHE / name
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv:
        if not python_of(name).exists():
            _run(uv, "venv", "--python", sys.executable, folder)
        again = ["--reinstall-package", "singer-xero"] if name == OURS else []
        _run(uv, "pip", "install", "--python", python_of(name), *again, *PACKAGES[name])
    else:
        if not python_of(name).exists():
            _run(sys.executable, "-m", "venv", folder)
        if name == OURS:  # pip would keep it, because the version has not changed
            _run(python_of(name), "-m", "pip", "uninstall", "--yes", "singer-xero")
        _run(python_of(name), "-m", "pip", "install", *PACKAGES[name])
    # Compiled now, so that no measured run does it.
    _run(python_of(name), "-m", "compileall", "-q", folder / "lib", check=False)
    stamp.write_text(wanted)


def version(name: str, distribution: str) -> str:
    """The version of a distribution in an environment."""
    code = f"from importlib.metadata import version; print(version({distribution!r}))"
    return subprocess.run(
        [python_of(name), "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def _fingerprint(name: str) -> str:
    found = hashlib.sha256("\n".join([sys.version, *PACKAGES[name]]).encode())
    if name == OURS:
        sources = sorted(
            path
            for folder in ("singer_xero", "tap_xero", "target_xero", "xero_sandbox")
            for path in (ROOT / folder).rglob("*.*")
        )
        for path in [ROOT / "pyproject.toml", *sources]:
            if path.is_file() and path.suffix != ".pyc":
                found.update(path.read_bytes())
    return found.hexdigest()


def _run(*command: str | Path, check: bool = True) -> None:
    # uv does not read pip's settings, so the index of pip is passed on.
    env = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    if "PIP_INDEX_URL" in env:
        env.setdefault("UV_DEFAULT_INDEX", env["PIP_INDEX_URL"])
    done = subprocess.run(
        [str(part) for part in command],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if check and done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} failed:\n{done.stdout}")
