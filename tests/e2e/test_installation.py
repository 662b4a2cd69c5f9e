"""The commands of docs/installation.md, and those of the README for Meltano, as printed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import processes
import pytest
import yaml

from demo import install

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs/installation.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
SCRIPTS = Path(sys.executable).parent
COMMANDS = ["tap-xero", "target-xero", "xero-login", "xero-sandbox"]

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")


def recipe(heading: str) -> str:
    """Return the commands of a section."""
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", TEXT, re.DOTALL | re.MULTILINE)
    assert section, heading
    return "\n".join(re.findall(r"```sh\n(.*?)```", section[1], re.DOTALL))


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a Git repository with the files of this checkout."""
    folder = tmp_path_factory.mktemp("repository") / "singer-xero"
    ignored = shutil.ignore_patterns(".*", "__pycache__", "node_modules")
    shutil.copytree(ROOT, folder, ignore=ignored)
    shutil.copy(ROOT / ".gitignore", folder)
    who = ["-c", "user.name=Tests", "-c", "user.email=tests@example.com"]
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], [*who, "commit", "-q", "-m", "All"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return f"file://{folder}"


@pytest.fixture
def shell(tmp_path: Path, repository: str) -> Iterator[Any]:
    """Runs commands in an empty folder with its own home directory."""

    def run(commands: str, **variables: str) -> str:
        folders = [str(tmp_path / "home/.local/bin"), str(SCRIPTS), os.environ["PATH"]]
        environment = {
            **{name: value for name, value in install.environment().items() if "MELTANO" not in name},
            "UV_CACHE_DIR": _uv_cache(),
            "HOME": str(tmp_path / "home"),
            "PATH": os.pathsep.join(folders),
            "SINGER_XERO_REPOSITORY": repository,
        }
        return processes.shell(commands, tmp_path, environment | variables)

    yield run


def _uv_cache() -> str:
    """The folder of uv's cache, which the new home shares, so that packages are downloaded once."""
    found = subprocess.run([SCRIPTS / "uv", "cache", "dir"], capture_output=True, text=True, check=True)
    return found.stdout.strip()


def _check(said: str) -> None:
    assert re.search(r"^tap-xero v\d+\.\d+\.\d+", said, re.MULTILINE), said
    assert "xero-sandbox" in said


@pytest.mark.skipif(not (SCRIPTS / "uv").exists(), reason="uv is not installed")
def test_uv_installs_the_four_commands_and_the_extra_for_postgresql(shell: Any, tmp_path: Path) -> None:
    shell(recipe("uv"))
    assert {path.name for path in (tmp_path / "home/.local/bin").iterdir()} >= set(COMMANDS)
    # By path, because the environment of the tests has these commands as well.
    _check(shell(recipe("Check"), PATH=f"{tmp_path}/home/.local/bin:/usr/bin:/bin"))
    shell(recipe("Extras"))
    python = next((tmp_path / "home").rglob("singer-xero/bin/python"))
    subprocess.run([python, "-c", "import psycopg"], check=True)


def test_pip_installs_into_its_own_environment(shell: Any, tmp_path: Path) -> None:
    shell(recipe("pip"))
    _check(shell(recipe("Check"), PATH=f"{tmp_path}/xero/bin:/usr/bin:/bin"))


@pytest.mark.skipif(not shutil.which("pipx"), reason="pipx is not installed")
def test_pipx_installs_the_four_commands(shell: Any, tmp_path: Path) -> None:
    shell(recipe("pipx"))
    _check(shell(recipe("Check"), PATH=f"{tmp_path}/home/.local/bin:/usr/bin:/bin"))


def test_meltano_adds_both_plugins_to_a_project_from_their_definitions(shell: Any, tmp_path: Path) -> None:
    shell("meltano init . --no-usage-stats")
    shell(recipe("Meltano"), DEFINITIONS=str(ROOT / "plugins"))
    plugins = yaml.safe_load((tmp_path / "meltano.yml").read_text(encoding="utf-8"))["plugins"]
    assert plugins["extractors"][0]["name"] == "tap-xero"
    assert plugins["loaders"][0]["name"] == "target-xero"
    # The address is in .env, so a later command needs no variable.
    for plugin in ("tap-xero", "target-xero"):
        said = shell(f"unset SINGER_XERO_REPOSITORY; meltano --log-level=error invoke {plugin} --version")
        assert re.search(rf"^{plugin} v\d+\.\d+\.\d+", said, re.MULTILINE), said
    _follow_the_readme(shell, tmp_path)


#: A loader that stores its input.
LOADER = f"""#!{sys.executable}
import sys
open("singer.jsonl", "w").write(sys.stdin.read())
"""


def _follow_the_readme(shell: Any, folder: Path) -> None:
    """In a project with the plugin and a loader, the README's remaining commands read the demo company."""
    found = re.search(r"<!-- meltano -->\n```sh\n(.*?)```", README, re.DOTALL)
    assert found
    add, *rest = found[1].splitlines()
    assert add in recipe("Meltano")
    loader = folder / "loader"
    loader.write_text(LOADER, encoding="utf-8")
    loader.chmod(0o755)
    path = folder / "meltano.yml"
    project = yaml.safe_load(path.read_text(encoding="utf-8"))
    project["plugins"]["loaders"].append(
        {"name": "target-jsonl", "namespace": "target_jsonl", "executable": str(loader)}
    )
    path.write_text(yaml.safe_dump(project), encoding="utf-8")
    shell("\n".join(rest))
    messages = [json.loads(line) for line in (folder / "singer.jsonl").read_text("utf-8").splitlines()]
    assert sum(message["type"] == "RECORD" for message in messages) > 5000
    assert messages[-1]["type"] == "STATE"


def test_a_release_s_definitions_install_that_release_from_pypi(tmp_path: Path) -> None:
    command = [sys.executable, ROOT / "plugins/make.py", "--pip-url", "singer-xero==0.2.0", "--to", tmp_path]
    subprocess.run(command, cwd=ROOT, check=True)
    for name in ("tap-xero", "target-xero"):
        made = yaml.safe_load((tmp_path / f"{name}.yml").read_text(encoding="utf-8"))
        assert (made["name"], made["pip_url"]) == (name, "singer-xero==0.2.0")
