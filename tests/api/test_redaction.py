"""Secrets and control characters are never shown."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest

from singer_xero.api.errors import XeroError
from singer_xero.api.redaction import PREFIX, Secrets, redact, redact_line, remember_passwords_of

SECRET = 'Sx+9/kq=~Zw<7>&é"Lm_0-Tr.Yb'
JWT = "eyJhbGciOiJSUzI1NiIsImtpZCI6IjFDQUY4RTY2NzcyRDZEQzAyOEQ2NzI2RkQw"


@pytest.fixture
def secrets() -> Secrets:
    known = Secrets()
    known.remember([SECRET, None, ""])
    known.remember_basic("CLIENTCLIENTCLIENT", SECRET)
    return known


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


FORMS = {
    "plain": SECRET,
    "URL": quote(SECRET, safe=""),
    "URL, as in a form": quote_plus(SECRET),
    "URL, twice": quote(quote(SECRET, safe=""), safe=""),
    "base64": _base64(SECRET),
    "base64 in a URL": quote(_base64(SECRET), safe=""),
    "base64 for URLs": base64.urlsafe_b64encode(SECRET.encode()).decode(),
    "base64 of the URL-encoded": _base64(quote(SECRET, safe="")),
    "Basic": _base64(f"CLIENTCLIENTCLIENT:{SECRET}"),
    "Basic, URL-encoded": _base64(f"CLIENTCLIENTCLIENT:{quote_plus(SECRET)}"),
    "base64 amid others, 1": _base64(f"x{SECRET}tail"),
    "base64 amid others, 2": _base64(f"xy{SECRET}tail"),
    "JSON": json.dumps(SECRET)[1:-1],
    "JSON with é": json.dumps(SECRET, ensure_ascii=False)[1:-1],
    "HTML": html.escape(SECRET),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_secret_is_hidden_in_every_form(secrets: Secrets, form: str) -> None:
    shown = secrets.hide(f"before {form} after, {form}")
    assert "***" in shown
    assert shown.startswith("before ")
    assert " after, " in shown
    parts = [form[at : at + PREFIX] for at in range(4, len(form) - PREFIX)]
    assert [part for part in parts if part in shown] == []


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_secret_that_was_cut_off_is_hidden(secrets: Secrets, form: str) -> None:
    for end in range(PREFIX + 4, len(form)):
        shown = secrets.hide(f"before {form[:end]}\u2026 after")
        assert "***" in shown
        assert form[4:end] not in shown
        assert shown.startswith("before ")
        assert shown.endswith("\u2026 after")


def test_lower_case_escapes_are_hidden_as_well(secrets: Secrets) -> None:
    escaped = quote(SECRET, safe="").replace("%2B", "%2b").replace("%2F", "%2f").replace("%3D", "%3d")
    assert "9%2fkq" in escaped
    assert "kq" not in secrets.hide(f"&client_secret={escaped}&")


def test_secrets_with_equal_beginnings_are_hidden_completely() -> None:
    known = Secrets()
    known.remember([f"{JWT}.first.one", f"{JWT}.second.one.which-is-longer"])
    for token in (f"{JWT}.first.one", f"{JWT}.second.one.which-is-longer", f"{JWT}.never.seen_before"):
        assert known.hide(f"Bearer {token}, and more") == "Bearer ***, and more"


def test_the_user_of_http_basic_is_not_a_secret(secrets: Secrets) -> None:
    assert secrets.hide("client_id=CLIENTCLIENTCLIENT&x") == "client_id=CLIENTCLIENTCLIENT&x"


def test_short_secrets_are_hidden_as_whole_words_and_shorter_ones_not_at_all() -> None:
    known = Secrets()
    known.remember(["postgres", "xero"])
    assert known.hide("postgresql://postgres:postgres@host xero") == "postgresql://***:***@host xero"


def test_the_password_of_an_address_is_hidden() -> None:
    remember_passwords_of("postgresql://someone:pa%2Fss-word-1@host/db", None, "https://host/path")
    assert redact("pa%2Fss-word-1 pa/ss-word-1 someone host") == "*** *** someone host"
    remember_passwords_of(
        "postgresql://someone:pa@ss/word-2@host/db", "postgresql:///?password=word-number-3&x=1"
    )
    assert redact("pa@ss/word-2, word-number-3 someone host x=1") == "***, *** someone host x=1"


CONTROLS = {
    "escape": "\x1b]52;c;Y2xpcA==\x07",
    "a C1 escape": "\x9b31m",
    "NUL": "\x00",
    "backspace": "\x08\x08",
    "carriage return": "\r",
    "delete": "\x7f",
    "right to left": "\u202e",
    "isolate": "\u2066",
    "line separator": "\u2028",
    "half a pair": "\ud83d",
    "byte order mark": "\ufeff",
}


@pytest.mark.parametrize("control", CONTROLS.values(), ids=CONTROLS)
def test_control_characters_are_dropped(control: str) -> None:
    for shown in (redact(f"a{control}b"), redact_line(f"a{control}b"), str(XeroError(f"a{control}b"))):
        assert shown.isprintable()
        assert shown.startswith("a")
        assert shown.endswith("b")


def test_names_in_any_script_are_unchanged() -> None:
    names = (
        "Zoë & Søn \u2013 株式会社 "
        "\U0001f468\u200d\U0001f469\u200d\U0001f467 נועה می\u200cخواهم 🏴\U000e0067\U000e007f"
    )
    assert redact_line(names) == names


def test_a_text_on_one_line_can_forge_no_other() -> None:
    forged = "Acme\n2026-01-01 00:00:00 | ERROR    | tap-xero | forged\ttoo"
    assert redact(forged) == forged
    assert redact_line(forged) == "Acme 2026-01-01 00:00:00 | ERROR    | tap-xero | forged too"


def test_a_secret_with_control_characters_in_it_is_hidden(secrets: Secrets) -> None:
    known = Secrets()
    known.remember([JWT])
    broken = JWT[:6] + "\x00" + JWT[6:]
    assert known.hide(redact(broken)) == "***"


def test_an_argument_of_a_message_keeps_the_blank_that_parts_it_from_the_text() -> None:
    assert redact_line(" in /data\n") == " in /data "
