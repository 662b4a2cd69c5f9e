"""Redaction: text without secrets and control characters.

`remember` registers secrets where they enter (settings, tokens, codes). `redact` replaces them in every form in which a
proxy or a library could repeat them, and removes characters that would control a terminal or forge a line of a log.
Every error of the client, every log record and everything on stderr passes through it (`singer_xero.console`).
"""

from __future__ import annotations

import base64
import html
import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote, quote_plus, unquote

MASK = "***"

PREFIX = 12
"""So many characters from the beginning of a secret are hidden, too, since tokens may be cut off."""

# Shorter secrets occur in ordinary sentences.
_SHORTEST = 6

# Control characters except tab and line feed; marks that reverse the direction of text; lone surrogates.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
# The rest of a token that begins like a known one.
_TOKEN = re.compile(r"[\w-]*(?:\.[\w-]+)*")
_SPACES = re.compile(r"\s*[\t\n]\s*")
# A password may contain an @ or a / that should have been encoded.
_PASSWORD = re.compile(r"://[^\s:/@]*:(\S+)@|[?&](?:ssl)?password=([^&\s]+)")


class Secrets:
    """Strings that must not be shown, in all their forms; safe for many threads."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._short_forms: set[str] = set()
        self._short: re.Pattern[str] | None = None
        # Forms by their beginnings: all of Xero's access tokens begin alike.
        self._long: dict[str, frozenset[str]] = {}
        self._changing = threading.Lock()

    def remember(self, secrets: Iterable[str | None]) -> None:
        """Hide these from now on, except None and texts that are as short as words."""
        self._remember(secrets, _forms)

    def remember_basic(self, user: str, password: str) -> None:
        """Hide the encoding of user and password in HTTP Basic; the user alone is not secret."""
        self._remember([f"{user}:{password}", f"{quote_plus(user)}:{quote_plus(password)}"], _packed)

    def _remember(self, secrets: Iterable[str | None], forms: Callable[[str], Iterable[str]]) -> None:
        new = {secret for secret in secrets if secret and len(secret) >= _SHORTEST} - self._known
        if not new:
            return
        with self._changing:
            self._known |= new
            long = dict(self._long)
            for form in {form for secret in new for form in forms(secret)}:
                if len(form) >= PREFIX:
                    start = form[:PREFIX]
                    long[start] = long.get(start, frozenset()) | {form}
                elif len(form) >= _SHORTEST:
                    self._short_forms.add(form)
            if self._short_forms:
                words = "|".join(map(re.escape, sorted(self._short_forms, key=len, reverse=True)))
                self._short = re.compile(rf"(?<![^\W_])(?:{words})(?![^\W_])")
            self._long = long

    def hide(self, text: str) -> str:
        """The text with `***` in place of each secret, and of beginnings with PREFIX characters or more."""
        for start, forms in self._long.items():
            at = text.find(start)
            while at >= 0:
                end = at + max(_same(form, text[at : at + len(form)]) for form in forms)
                rest = _TOKEN.match(text, end)
                text = f"{text[:at]}{MASK}{text[rest.end() if rest else end :]}"
                at = text.find(start, at + len(MASK))
        return self._short.sub(MASK, text) if self._short else text


_secrets = Secrets()


def remember(*secrets: str | None) -> None:
    """Hide these texts from now on."""
    _secrets.remember(secrets)


def remember_basic(user: str, password: str) -> None:
    """Hide a password, and its encoding in HTTP Basic."""
    _secrets.remember([password])
    _secrets.remember_basic(user, password)


def remember_passwords_of(*texts: str | None) -> None:
    """Hide the passwords of addresses such as `postgresql://user:password@host`."""
    for text in texts:
        for found in _PASSWORD.findall(text or ""):
            remember(*found, *map(unquote, found))


def redact(text: str) -> str:
    """The text without secrets and control characters. Tabs and line feeds stay."""
    return _secrets.hide(_UNPRINTABLE.sub("", text))


def redact_line(text: str) -> str:
    """The same as `redact`, on one line."""
    return redact(_SPACES.sub(" ", text))


def _forms(secret: str) -> Iterator[str]:
    """The forms of a secret: plain, URL-encoded, in JSON, in HTML, and in base64 at any position."""
    plain = {secret, quote(secret, safe=""), quote_plus(secret), quote(secret)}
    for form in plain:
        yield form
        yield _lower(form)
        yield from _packed(form)
    yield quote(quote(secret, safe=""), safe="")
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield html.escape(secret)


def _packed(text: str) -> Iterator[str]:
    """The base64 of a text at each position in a group of three bytes, without the characters shared with others."""
    content = text.encode("utf-8", "surrogatepass")
    for before, skipped in ((0, 0), (1, 2), (2, 3)):
        filled = b"\0" * before + content
        whole = len(filled) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            form = encode(filled).decode()[skipped:whole]
            yield form
            yield quote(form, safe="")
            yield _lower(quote(form, safe=""))


def _same(one: str, other: str) -> int:
    """The length of the common beginning of two texts."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _lower(form: str) -> str:
    return re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), form)
