"""What is made of the body of an answer that should be JSON."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from singer_xero.api.answers.repair import may_hold_nul, mended

if TYPE_CHECKING:
    from collections.abc import Callable

    from singer_xero.api.call import Call
    from singer_xero.api.http.transport import Answer

logger = logging.getLogger(__name__)

# A longer text is not mended: that takes several times its memory.
_MENDABLE = 32_000_000

_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class AnswerReader:
    """Lets the caller's reader read a body, mended where that is needed; tells of each mended place once.

    `name_of` names an organisation to people.
    """

    def __init__(self, name_of: Callable[[str | None], str]) -> None:
        self._name_of = name_of
        self._told: set[tuple[str | None, str, str]] = set()

    def understood(self, call: Call, answer: Answer) -> tuple[Answer, str]:
        """The answer with what was made of its body, mended where that is needed; or what is wrong with it."""
        if not call.is_json or (not answer.content and answer.status in {204, 304}):
            return answer, ""
        if may_hold_nul(answer.content):
            if len(answer.content) > _MENDABLE:
                return answer, "it contains NUL characters and is too large to repair; lower page_size"
            answer = self._mended(call, answer)
        for last in (False, True):
            try:
                return replace(answer, value=call.read(answer)), ""
            except RecursionError:
                return answer, "it is nested too deeply"
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                is_mended = last or len(answer.content) > _MENDABLE
                whole = answer if is_mended else self._mended(call, answer)
                if whole is answer:
                    return answer, answer.fault(error)
                answer = whole
        raise AssertionError

    def _mended(self, call: Call, answer: Answer) -> Answer:
        content, done = mended(answer.content)
        if not done:
            return answer
        for what in done:
            place = (call.tenant_id, _ID.sub("*", call.url), what)
            if place not in self._told:
                self._told.add(place)
                logger.warning("%s of %s: %s.", call.name, self._name_of(call.tenant_id), what)
        return replace(answer, content=content, packed=None)
