"""Identifies records by their key properties, by their names in Xero, or by their content."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from target_xero.content.payload import Content
from target_xero.content.spelling import folded
from target_xero.content.values import InvalidRecord
from target_xero.write_log.identity import CONTENT, IdentityFormat
from target_xero.write_specs.spec import WriteSpec


class Identities:
    """Makes the identities of one run's records. They come from `source`, unless `sources` has their stream."""

    def __init__(self, source: str) -> None:
        self.source = source
        #: The sources of streams that state one, such as corrected rejects.
        self.sources: dict[str, str] = {}
        #: For each object, the (source, stream) of its records.
        self.origins: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
        self._formats: dict[tuple[str, ...], IdentityFormat] = {}
        self._again: Counter[tuple[str, str]] = Counter()

    def source_of(self, stream: str) -> str:
        """Return the source of a stream."""
        return self.sources.get(stream, self.source)

    def format_of(self, spec: WriteSpec, stream: str, keys: Sequence[str]) -> IdentityFormat:
        """Return the format of the identities of a stream's records."""
        place = (stream, *keys)
        identities = self._formats.get(place)
        if identities is None:
            source = self.source_of(stream)
            identities = self._formats[place] = IdentityFormat(source, stream, keys)
            self.origins[spec.name].add((source, stream))
        return identities

    def key(
        self, spec: WriteSpec, stream: str, keys: Sequence[str], record: Mapping[str, Any], content: Content
    ) -> str:
        """Return the identity by the key properties, otherwise by the name in Xero; empty without either.

        Raises `InvalidRecord` if a key property is empty.
        """
        identities = self.format_of(spec, stream, keys)
        if keys:
            values = [record[name] if name in record else _misspelled(record, name) for name in keys]
            for name, value in zip(keys, values, strict=True):
                if value is None or value == "":
                    raise InvalidRecord("the key is empty", name)
            return identities.of(values)
        if spec.key in content.aside:
            return identities.by(spec.key, str(content.aside[spec.key]))
        return next((identities.by(name, value) for name, value in spec.natural_key(content.sent)), "")

    def format_by(self, stream: str, fields: Sequence[str]) -> IdentityFormat:
        """Return the format of identities by these fields, in a stream without key properties."""
        return IdentityFormat(self.source_of(stream), stream, fields)

    def by_content(self, spec: WriteSpec, stream: str, keys: Sequence[str], content: str) -> str:
        """Return the identity of a record without any key: the hash of its content and a running number."""
        self._again[stream, content] += 1
        return self.format_of(spec, stream, keys).by(CONTENT, f"{content}.{self._again[stream, content]}")


def _misspelled(record: Mapping[str, Any], key: str) -> Any:
    """Return the value of a key whose column begins with a byte order mark, as the first one of a file may."""
    return next((value for name, value in record.items() if folded(name) == folded(key)), None)
