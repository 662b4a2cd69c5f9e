"""What the body of an error answer says."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from singer_xero.api.errors import NO_BODY, NO_MESSAGE, one_line
from singer_xero.objects.apis import GATEWAY, ErrorShape

# Errors of Xero's are shorter. Of a longer body only the beginning is read.
_LONGEST_PARSED, _LONGEST_TEXT = 16_000_000, 100_000


def elements_of(content: bytes, shape: ErrorShape) -> list[dict[str, Any]]:
    """The answers of a refused write, one for each record; empty if there are none."""
    parsed = _parsed(content)
    found = parsed.get(shape.elements) if isinstance(parsed, dict) else None
    return [element for element in found or [] if isinstance(element, dict)]


def words_of(content: bytes, shape: ErrorShape) -> str:
    """The messages in an error body, be it JSON, XML, HTML or text, and nothing else of it.

    Of JSON: the messages of `GATEWAY` and of the shape, each once. Xero's gateways write names in either case.
    """
    if not content[:_LONGEST_TEXT].strip():
        return NO_BODY
    parsed = _parsed(content)
    if isinstance(parsed, (dict, list)):
        said = [word for path in (*GATEWAY, *shape.words) if (word := _at(parsed, path.lower().split(".")))]
        said += _problems(parsed, shape.lists)
        return one_line(" / ".join(dict.fromkeys(said))) or NO_MESSAGE
    text = content[:_LONGEST_TEXT].decode("utf-8", "replace")
    found = re.findall(r"<Message>(.*?)</Message>", text, re.DOTALL)
    if not found and text.lstrip().startswith("<"):
        found = re.findall(r"<(?:title|h1)[^>]*>(.*?)</", text, re.DOTALL | re.IGNORECASE)
        if not found:
            return NO_MESSAGE
    return one_line(" / ".join(dict.fromkeys(html.unescape(part).strip() for part in found or [text])))


def _at(value: Any, path: list[str]) -> str:
    """The text at a path of lower-case names; empty if there is none."""
    for name in path:
        value = (
            next((value[key] for key in value if key.lower() == name), None)
            if isinstance(value, dict)
            else None
        )
    return value if isinstance(value, str) else ""


def _problems(value: Any, lists: Mapping[str, str]) -> Iterator[str]:
    if isinstance(value, list):
        for entry in value:
            yield from _problems(entry, lists)
    elif isinstance(value, dict):
        for name, entry in value.items():
            if name in lists and isinstance(entry, list):
                found = [one.get(lists[name]) for one in entry if isinstance(one, dict)]
                yield from (message for message in found if isinstance(message, str))
            else:
                yield from _problems(entry, lists)


def _parsed(content: bytes) -> Any:
    if len(content) > _LONGEST_PARSED:
        return None
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
