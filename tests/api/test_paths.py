"""The paths in settings, and settings that cannot be sent."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from singer_xero.api.auth import Identity
from singer_xero.api.client import connect
from singer_xero.api.errors import UnusableSetting
from singer_xero.api.http.transport import check_sendable
from singer_xero.api.storage.paths import default_folder, filled_in

ROOT = Path(__file__).resolve().parents[2]


def test_variables_and_the_home_folder_are_expanded_in_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.setenv("PLACE", "here")
    assert filled_in("~/$PLACE/${PLACE}", "x_path") == "/home/someone/here/here"
    assert filled_in("s3://bucket/$PLACE~", "x_path") == "s3://bucket/here~"


@pytest.mark.parametrize("text", ["$NOWHERE/x", "${NOWHERE}/x"])
def test_a_variable_that_is_not_set_is_named(text: str) -> None:
    with pytest.raises(UnusableSetting, match=r"x_path is '\$.*NOWHERE.*', but \$.*NOWHERE.* is not set"):
        filled_in(text, "x_path")


def test_a_project_comes_before_the_user_s_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MELTANO_PROJECT_ROOT", "/project")
    assert default_folder("x_path") == Path("/project/.secrets")


PROGRAM = """
import os, sys
import platformdirs, platformdirs.unix
from singer_xero.api.storage.paths import default_folder, filled_in
os.setgroups([]); os.setgid(54321); os.setuid(54321)  # who may not be able to read the modules
for ask in (lambda: filled_in("~/x", "x_path"), lambda: default_folder("x_path")):
    try:
        print(ask())
    except Exception as error:
        print(type(error).__name__, error)
"""


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may become somebody else"
)
def test_a_user_without_name_and_home_is_reported() -> None:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env=environment, cwd="/"
    )
    assert done.stdout.splitlines() == [
        "UnusableSetting x_path is '~/x', but HOME is not set and the user id 54321 has no name. Write the full path.",
        "UnusableSetting x_path is not set, and there is no default folder: HOME is not set and the user id 54321 has "
        "no name. Set x_path, or HOME.",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "gehe\u0131m",
            "character 5 of x can't be sent to Xero: it is not a Latin letter, digit or punctuation mark",
        ),
        ("geheim\u00e9", "character 7 of x"),
        ("ge\nheim", "character 3 of x can't be sent to Xero: it is a control character"),
        ("\u202egeheim", "character 1 of x"),
    ],
)
def test_a_value_that_cannot_be_sent_in_a_header_is_named_and_not_repeated(text: str, said: str) -> None:
    with pytest.raises(UnusableSetting, match=said) as refused:
        check_sendable("x", text)
    assert "heim" not in str(refused.value)


def test_a_secret_or_user_agent_that_cannot_be_sent_is_named_before_anything_is_sent(tmp_path: Path) -> None:
    for secret, name in (("s\u0131kret", "client_secret"), ("x", "user_agent")):
        agent = "caf\u0131" if name == "user_agent" else "agent"
        with pytest.raises(UnusableSetting, match=f"of {name} can't be sent"):
            client = connect(
                "id",
                secret,
                token_path=str(tmp_path / "tokens"),
                user_agent=agent,
                identity_url="https://xero.invalid",
            )
            try:
                client.scopes()
            finally:
                client.close()


def test_blanks_around_ids_secrets_and_tokens_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def grant(_: Identity, client_id: str, client_secret: str | None, form: dict[str, str]) -> None:
        asked.append((client_id, client_secret, form.get("refresh_token")))
        raise UnusableSetting("enough")

    monkeypatch.setattr(Identity, "grant", grant)
    for secret, token in ((" secret\r\n", None), ("secret\n", "token\n"), (None, "\ttoken ")):
        client = connect(" id\n", secret, token, token_path=str(tmp_path / "tokens"))
        with pytest.raises(UnusableSetting):
            client.scopes()
        client.close()
    assert asked == [("id", "secret", None), ("id", "secret", "token"), ("id", None, "token")]
