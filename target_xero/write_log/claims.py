"""Entries of an earlier log of writes that lack the source of their record, or everything but its key.

The first record that matches such an entry takes it over. Several streams of a run have the `disputed` keys: of their
records, only one with the same content takes the entry over. `doubtful` are records that matched an entry and did not
take it over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from target_xero.write_log import identity
from target_xero.write_log.database import Database, Transaction, in_chunks
from target_xero.write_log.schema import insertion


class Claims:
    """The claims to such entries of one organisation."""

    def __init__(self, database: Database, scope: str) -> None:
        self._db = database
        self._scope = scope
        self._sources: defaultdict[str, set[str]] | None = None
        self.disputed: dict[str, set[str]] = defaultdict(set)
        self.doubtful: dict[tuple[str, str], str] = {}

    def candidates(self, object_name: str, keys: Iterable[str]) -> list[str]:
        """Return the identities that the log may have under another source, or without one."""
        sources = self._known_sources().get(object_name)
        if not sources:
            return []
        return [key for key in keys if (own := identity.source_of(key)) is not None and sources - {own}]

    def claim(self, object_name: str, keys: Mapping[str, str]) -> None:
        """Let records take over entries that lack their source.

        `keys` are `candidates`, each with the hash of its content.
        """
        forms = self._former_keys(object_name, list(keys))
        if not forms:
            return
        every = list(dict.fromkeys(form for found in forms.values() for form in found))
        there = dict(self._by_keys("key, hash", object_name, every))
        moves: dict[str, str] = {}
        for key, found in forms.items():
            form = next((one for one in found if one in there and one not in moves), None)
            if form is None:
                continue
            if self._is_doubtful(object_name, form) and there[form] != keys[key]:
                self.doubtful[object_name, key] = form
            else:
                moves[form] = key
        if moves:
            for refused in self._db.taken(self._scope, object_name, moves):
                del moves[refused]
            self._move(object_name, moves)

    def _former_keys(self, object_name: str, keys: Sequence[str]) -> dict[str, list[str]]:
        """Return the keys under which the log may have each of the records that it does not know."""
        sources = self._known_sources().get(object_name, set())
        known = {row[0] for row in self._by_keys("key", object_name, keys)}
        forms = {}
        for key in keys:
            own = identity.origin(key)
            if key not in known and own:
                named = [] if own.source else [identity.with_source(key, one) for one in sorted(sources)]
                forms[key] = [*identity.former(key), *named]
        return forms

    def _is_doubtful(self, object_name: str, form: str) -> bool:
        """Whether only a record with the same content may take an entry over."""
        of = identity.origin(form)
        return form in self.disputed[object_name] or bool(of and of.source)

    def _by_keys(self, columns: str, object_name: str, keys: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        query = f"SELECT {columns} FROM {{record}} WHERE scope = ? AND object = ? AND key"
        return in_chunks(self._db, query, (self._scope, object_name), keys)

    def has_unknown_origins(self, object_name: str) -> bool:
        """Whether the log may have entries of its first version, which did not store source and stream."""
        return identity.UNKNOWN_ORIGIN in self._known_sources().get(object_name, ())

    def _known_sources(self) -> defaultdict[str, set[str]]:
        """Return the sources in the log by object; `UNKNOWN_ORIGIN` stands for its first version."""
        if self._sources is None:
            self._sources = defaultdict(set)
            for name, source in self._db.rows(
                "SELECT object, source FROM {origin} WHERE scope = ?", (self._scope,)
            ):
                self._sources[name].add(source)
        return self._sources

    def _move(self, object_name: str, moves: Mapping[str, str]) -> None:
        with self._db.change() as change:
            for table in ("record", "name"):
                change.run_many(
                    f"UPDATE {{{table}}} SET key = ? WHERE scope = ? AND object = ? AND key = ?",
                    [(new, self._scope, object_name, old) for old, new in moves.items()],
                )
            change.run_many(
                "UPDATE {record} SET parent = ? WHERE scope = ? AND parent = ?",
                [(new, self._scope, old) for old, new in moves.items()],
            )
            change.run_many(
                "UPDATE {record} SET source = ?, value = ? WHERE scope = ? AND object = ? AND key = ?",
                [(*own_values(key), self._scope, object_name, key) for key in moves.values()],
            )
            sources = {found for key in moves.values() if (found := identity.source_of(key)) is not None}
            self.write_sources(change, object_name, sources)
            self.note_sources(object_name, sources)

    def note_sources(self, object_name: str, sources: Iterable[str]) -> None:
        """Note sources that the log has records of."""
        self._known_sources()[object_name].update(sources)

    def write_sources(self, change: Transaction, object_name: str, sources: Iterable[str]) -> None:
        """Log sources that the log has records of."""
        change.run_many(
            f"{insertion('origin')} ON CONFLICT (scope, object, source) DO NOTHING",
            [(self._scope, object_name, source) for source in sources],
        )


def own_values(key: str) -> tuple[str | None, str | None]:
    """Return (source, value) of a record with a single key value."""
    return identity.own_key(key) or (None, None)
