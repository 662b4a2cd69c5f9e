"""The commands print no secret, and nothing that controls a terminal or forges a line of the log."""

from __future__ import annotations

import base64
import json
import logging
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from singer_sdk.logging import StructuredFormatter

from singer_xero.api.redaction import remember
from singer_xero.console import Block, clean_output
from singer_xero.errors import ConfigurationProblem
from tap_xero.tap import TapXero
from xero_sandbox import AdminClient, apps

from .runs import command

SECRET = "aVery/Secret+Value=0123456789"
TOKEN = "refresh-token-0123456789abcdefghijklmnopqrstuvwxyz"
EVIL = "Evil\x1b]52;c;Y2xpcA==\x07\x9b31m\r\u202e\n2026-01-01 00:00:00,000 | ERROR    | tap-xero | forged"


class _Echo(BaseHTTPRequestHandler):
    """A proxy that refuses each request and repeats it in its answer, cut off at some places."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        said = [f"{name}: {value}" for name, value in self.headers.items()]
        said += [body, body[:-9], quote(body), *(f"{line[:-7]}..." for line in said)]
        content = f"<h1>Not allowed</h1><Message>{' '.join(said)}</Message>".encode()
        self.send_response(400)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def echo() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Echo) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def parts(secret: str) -> set[str]:
    """Traces of a secret: twelve of its characters anywhere, in plain text or encoded."""
    forms = [secret, quote(secret, safe=""), base64.b64encode(f"the-client-id:{secret}".encode()).decode()]
    return {form[at : at + 12] for form in forms for at in range(len(form) - 12)} - {"the-client-id:"}


@pytest.mark.parametrize("grant", [{"client_secret": SECRET}, {"client_secret": SECRET, "refresh_token": TOKEN},
                                   {"refresh_token": TOKEN}])  # fmt: skip
@pytest.mark.parametrize("form", ["lines", "json"])
def test_a_proxy_that_repeats_requests_reveals_no_secret(
    echo: str, grant: dict[str, str], form: str, tmp_path: Path
) -> None:
    config = {"client_id": "the-client-id", **grant, "api_url": echo, "identity_url": echo,
              "token_path": str(tmp_path / "tokens.json")}  # fmt: skip
    more = {}
    if form == "json":
        handler = {"class": "logging.FileHandler", "filename": "log.json", "formatter": "json"}
        (tmp_path / "log.yml").write_text(json.dumps({
            "version": 1, "disable_existing_loggers": False, "root": {"level": "DEBUG", "handlers": ["file"]},
            "formatters": {"json": {"()": "singer_sdk.logging.StructuredFormatter"}}, "handlers": {"file": handler},
        }))  # fmt: skip
        more["SINGER_SDK_LOG_CONFIG"] = "log.yml"
    done = command(config=config, at=tmp_path, LOGLEVEL="DEBUG", **more)
    assert done.code == 1
    shown = done.out + done.err
    if form == "json":
        shown += (tmp_path / "log.json").read_text()
    assert "Not allowed" not in shown or "***" in shown
    assert "***" in shown
    for secret in grant.values():
        assert [part for part in parts(secret) if part in shown] == []


def test_the_name_of_an_organisation_cannot_control_the_terminal_or_forge_the_log(
    config: dict[str, Any], admin: AdminClient, tmp_path: Path
) -> None:
    admin.add_organisation(EVIL, {})
    consent = admin.consent(tenants=[one["tenant_id"] for one in admin.organisations()])
    settings = {**apps.WEB_APP.settings(config["api_url"]), "refresh_token": consent["refresh_token"],
                "token_path": str(tmp_path / "t.json")}  # fmt: skip
    done = command(config=settings, at=tmp_path)
    assert done.code == 1
    assert "Evil" in done.err
    assert all(character.isprintable() or character == "\n" for character in done.err)
    assert "forged" in done.err
    assert not any(line.startswith("2026-01-01") for line in done.err.splitlines())


def crash() -> None:
    try:
        int(f"Bearer {SECRET}\x1b[31m")
    except ValueError as error:
        raise RuntimeError(SECRET[:15]) from error


def test_a_crash_shows_no_secret(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    remember(SECRET)
    with pytest.raises(SystemExit), clean_output():
        crash()
    told = capsys.readouterr().err
    assert "Traceback" in told
    assert "ValueError: invalid literal for int() with base 10: 'Bearer ***" in told
    assert "RuntimeError: ***" in told
    assert SECRET[:12] not in told.replace("raise RuntimeError(SECRET[:15])", "")


@pytest.mark.parametrize("formatter", ["plain", "json"])
def test_an_exception_in_the_log_shows_no_secret(tmp_path: Path, formatter: str) -> None:
    remember(SECRET)
    handler = logging.FileHandler(tmp_path / "log")
    handler.setFormatter(StructuredFormatter() if formatter == "json" else logging.Formatter())
    logger = logging.getLogger("test_shown")
    logger.addHandler(handler)
    try:
        with clean_output():
            try:
                crash()
            except RuntimeError as error:
                logger.error("It said %s at\n%s", error, {"a": SECRET}, exc_info=True)
                logger.error(f"It said {SECRET}\x1b")
                logger.error("%(one)s|%(two)s", {"one": "a\nb", "two": Block("c\nd\x1b")})
    finally:
        logger.removeHandler(handler)
        handler.close()
    told = (tmp_path / "log").read_text()
    assert SECRET not in told
    assert "ValueError" in told
    assert "RuntimeError" in told
    assert "\x1b" not in told
    assert ("a b|c\\nd" if formatter == "json" else "a b|c\nd\n") in told


def test_the_standard_streams_are_restored_afterwards() -> None:
    before = sys.stdout, sys.stderr, logging.getLogRecordFactory()
    with clean_output(stdout=True):
        assert sys.stderr is not before[1]
        assert sys.stderr.encoding == before[1].encoding
    assert (sys.stdout, sys.stderr, logging.getLogRecordFactory()) == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": ["hunter-is-my-password"]},
        {"api_url": {"password": "hunter-is-my-password"}},
        {"page_size": "hunter-is-my-password"},
        {"tenant_ids": [{"a": "hunter-is-my-password"}]},
        {"on_missing_scope": "hunter-is-my-password"},
        {"on_missing_scope": {"a": "hunter-is-my-password"}},
        {"client_secret": {"password": "hunter-is-my-password"}},
        {"token_path": ["postgresql://me:hunter-is-my-password@host/db"]},
        {"start_date": "hunter-is-my-password", "client_secret": "hunter-is-my-password"},
        {"stream_maps": "hunter-is-my-password"},
        {"nested_tables": "hunter-is-my-password"},
    ],
)
def test_a_value_of_the_wrong_kind_is_not_repeated(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationProblem) as refused:
        TapXero(config={"client_id": "id", **wrong})
    assert next(iter(wrong)) in str(refused.value)
    assert "hunter" not in str(refused.value)
