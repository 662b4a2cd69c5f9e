"""Reading the body of an answer that should be JSON, and repairing text that no database can store.

JSON may contain a NUL, which PostgreSQL refuses; half of a surrogate pair, such as an emoji that was cut in two; and
bytes that are not UTF-8. Without a repair, each of them would make the whole answer unusable, in every run.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import replace

import msgspec

from singer_xero.api.call import Call
from singer_xero.api.http.transport import Answer

logger = logging.getLogger(__name__)

# A longer text is not repaired: that takes several times its memory.
_REPAIRABLE = 32_000_000

NUL = "NUL characters were removed"
HALVES = "halves of surrogate pairs were replaced by U+FFFD"
BYTES = "bytes that are not UTF-8 were replaced by U+FFFD"

_ESCAPE = re.compile(
    rb"\\(?:"
    rb"(?P<pair>u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})"
    rb"|(?P<nul>u0000)"
    rb"|.)",
    re.DOTALL,
)

_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class AnswerReader:
    """Applies the caller's reader to a body, which it repairs if necessary. It logs each repaired address once.

    `name_of` gives the name of an organisation for messages.
    """

    def __init__(self, name_of: Callable[[str | None], str]) -> None:
        self._name_of = name_of
        self._logged: set[tuple[str | None, str, str]] = set()

    def understood(self, call: Call, answer: Answer) -> tuple[Answer, str]:
        """The answer with the value of its body and an empty text, or the answer and what is wrong with it."""
        if not call.is_json or (not answer.content and answer.status in {204, 304}):
            return answer, ""
        if may_hold_nul(answer.content):
            if len(answer.content) > _REPAIRABLE:
                return answer, "it contains NUL characters and is too large to repair; lower page_size"
            answer = self._repaired(call, answer)
        for last in (False, True):
            try:
                return replace(answer, value=call.read(answer)), ""
            except RecursionError:
                return answer, "it is nested too deeply"
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                is_final = last or len(answer.content) > _REPAIRABLE
                whole = answer if is_final else self._repaired(call, answer)
                if whole is answer:
                    return answer, answer.fault(error)
                answer = whole
        raise AssertionError

    def _repaired(self, call: Call, answer: Answer) -> Answer:
        content, done = repaired(answer.content)
        if not done:
            return answer
        for what in done:
            place = (call.tenant_id, _ID.sub("*", call.url), what)
            if place not in self._logged:
                self._logged.add(place)
                logger.warning("%s of %s: %s.", call.name, self._name_of(call.tenant_id), what)
        return replace(answer, content=content, packed=None)


def may_hold_nul(content: bytes) -> bool:
    """Whether a JSON text may contain a NUL. It is fast, and may be wrong only about a text that has none."""
    return b"\\" in content and content.rfind(b"\\u0000") >= 0


def repaired(content: bytes) -> tuple[bytes, list[str]]:
    """The text that databases can store, and what was repaired; the same text if nothing was."""
    done: dict[str, None] = {}
    try:
        content.decode()
    except UnicodeDecodeError:
        content = content.decode("utf-8", "replace").encode()
        done[BYTES] = None

    def replaced(escape: re.Match[bytes]) -> bytes:
        if escape["nul"]:
            done[NUL] = None
            return b""
        if escape["half"]:
            done[HALVES] = None
            return b"\\ufffd"
        return escape[0]

    content = _ESCAPE.sub(replaced, content)
    if b"\0" in content:
        done[NUL] = None
        content = content.replace(b"\0", b"")
    return content, list(done)
