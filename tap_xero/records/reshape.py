"""Gives trees the form of a stream's records: other names, ids of nested records, elements of nested tables.

This does for the trees of `tap_xero.records.types.raw` what `Projection.record` and `NestedTable.placed` do for decoded
records. Their values are not decoded, so it takes a small part of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from operator import attrgetter, itemgetter
from typing import Any

import msgspec

from singer_xero.objects import Component, Field, NestedTable
from singer_xero.objects.nested_tables import Level
from tap_xero.records.naming import snake_case
from tap_xero.records.projection import Projection

Reshape = Callable[..., Any]
"""Makes a new tree from the values that come first in it, and from a tree."""

_UNSET = msgspec.UNSET
_NULL = b"null"


def record_reshape(projection: Projection, *, in_order: bool) -> Reshape | None:
    """Make what reshapes a stream's records, after their `tenant_id`; None if they keep Xero's form.

    With `in_order` their fields come in the schema's order.
    """
    if not (projection.snake or projection.lifted or in_order):
        return None
    return _reshape(projection, ("tenant_id",), tuple(projection.xero.fields))


class TableReshape:
    """Makes the records of a nested table from the trees of the records that have its list."""

    def __init__(self, table: NestedTable, projection: Projection) -> None:
        self._base = [*table.of.key, *([table.cursor] if table.cursor else [])]
        self._levels = table.levels
        of_levels = [name for level in table.levels for name in (level.id, level.number) if name]
        component = _component(table.of.fields, table.levels)
        own = [*self._base, *of_levels]
        others = [name for name in component.fields if name not in own and name not in table.without]
        self._reshape = _reshape(projection, ("tenant_id", *own), tuple(others))

    def records(self, tree: Any, tenant_id: str) -> list[Any]:
        """The records of the table in a record's tree."""
        base = (tenant_id, *(getattr(tree, name) for name in self._base))
        return list(self._within(tree, base, self._levels))

    def _within(self, holder: Any, base: Sequence[Any], levels: Sequence[Level]) -> Iterator[Any]:
        level, *deeper = levels
        elements = getattr(holder, level.field)
        seen: set[bytes] = set()
        for number, one in enumerate(() if elements is _UNSET else elements or (), 1):
            if one is None:
                continue
            own = [*base]
            if level.id:
                found = getattr(one, level.id)
                data = _NULL if found is _UNSET or found is None else bytes(found)
                own.append(str(number) if data == _NULL or data in seen else found)
                seen.add(data)
            if level.number:
                own.append(number)
            if deeper:
                yield from self._within(one, own, deeper)
            else:
                yield self._reshape(one, *own)


def _component(fields: Mapping[str, Field], levels: Sequence[Level]) -> Component:
    component = None
    for level in levels:
        component = fields[level.field].component
        if component is None:
            raise TypeError(level.field)
        fields = component.fields
    if component is None:
        raise TypeError(levels)
    return component


def _reshape(projection: Projection, own: tuple[str, ...], names: tuple[str, ...]) -> Reshape:
    """Make what takes a tree, and the values of its `own` fields, to a new tree with all fields of the schema."""
    fields, lifted = projection.xero.fields, projection.lifted
    given = (*own, *names, *lifted)
    ordered = [name for name in (own[0], *fields, *lifted) if name in given]
    target = _type(tuple(map(projection.named, ordered)))
    in_order = itemgetter(*(given.index(name) for name in ordered))
    take = _taking(names)
    parts = _parts(fields, names) if projection.snake else []
    ids = [(attrgetter(name), attrgetter(key)) for name, key in lifted.values()]

    def reshape(tree: Any, *values: Any) -> Any:
        made = target(*in_order((*values, *take(tree), *(_id(part(tree), key) for part, key in ids))))
        _reshape_parts(made, parts)
        return made

    return reshape


def _id(part: Any, key: Callable[[Any], Any]) -> Any:
    found = None if part is _UNSET or part is None else key(part)
    return None if found is _UNSET else found


_Part = tuple[str, Callable[[Any], Any], bool]


def _parts(fields: Mapping[str, Field], names: Sequence[str]) -> list[_Part]:
    return [
        (snake_case(name), _part(component), fields[name].kind == "many")
        for name in names
        if (component := fields[name].component)
    ]


@cache
def _part(component: Component) -> Callable[[Any], Any]:
    """Make what gives a nested record its names in snake_case."""
    names = tuple(component.fields)
    target, take, parts = (
        _type(tuple(map(snake_case, names))),
        _taking(names),
        _parts(component.fields, names),
    )

    def reshape(tree: Any) -> Any:
        made = target(*take(tree))
        _reshape_parts(made, parts)
        return made

    return reshape


def _reshape_parts(made: Any, parts: Sequence[_Part]) -> None:
    for name, reshape, many in parts:
        part = getattr(made, name)
        if part is _UNSET or not part:
            continue
        changed = [one if one is None else reshape(one) for one in part] if many else reshape(part)
        setattr(made, name, changed)


def _taking(names: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda tree: tuple(getattr(tree, name) for name in names)


@cache
def _type(names: tuple[str, ...]) -> type[msgspec.Struct]:
    return msgspec.defstruct("record", [(name, Any, msgspec.UNSET) for name in names], gc=False)
