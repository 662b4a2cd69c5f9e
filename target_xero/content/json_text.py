"""JSON as the target reads and writes it, with exact numbers, and fingerprints of it."""

from __future__ import annotations

from decimal import Decimal
from hashlib import blake2b
from typing import Any

import msgspec

_decoder = msgspec.json.Decoder(float_hook=Decimal)

#: Encodes as JSON, with sorted names.
encode_sorted = msgspec.json.Encoder(decimal_format="number", order="deterministic").encode
encode = msgspec.json.Encoder(decimal_format="number").encode


def decode(content: bytes | str | msgspec.Raw) -> Any:
    """Read JSON with exact numbers; a number out of range is returned as the text of its digits.

    Raises msgspec.DecodeError, also for JSON that is nested too deeply, and UnicodeDecodeError.
    """
    try:
        return decode_exactly(content)
    except ArithmeticError:
        return _tolerant.decode(content)


def decode_exactly(content: bytes | str | msgspec.Raw) -> Any:
    """Do the same as `decode`, but raise ArithmeticError for a number out of range."""
    try:
        return _decoder.decode(content)
    except RecursionError:
        raise msgspec.DecodeError("the JSON is nested too deeply") from None


def _digits(text: str) -> Decimal | str:
    try:
        return Decimal(text)
    except ArithmeticError:
        return text


_tolerant = msgspec.json.Decoder(float_hook=_digits)


def hashed(content: Any) -> str:
    """Return a fingerprint of JSON-like content; the order of names does not matter."""
    return fingerprint(encode_sorted(content))


_fresh = blake2b(digest_size=16)


def fingerprint(*content: bytes) -> str:
    """Return the fingerprint of JSON with sorted names, which may come in pieces."""
    digest = _fresh.copy()
    for piece in content:
        digest.update(piece)
    return digest.hexdigest()
