"""The types with which msgspec checks and decodes Xero's records, made from the registry.

There are three for each object:

* `checked` is as strict as the schema: a record that it accepts can be emitted. It allows the fields that the tap
  leaves out, and no unknown fields.
* `raw` has only the fields of the schema. Each value except dates is the bytes that Xero sent.
* `decoded` has the same fields with decoded values, in the schema's order.

msgspec looks for each field after the previous one, so the first two are a fifth faster with their fields in the order
in which Xero sends them; see `order_of`. They are made when the first long answer is read, since making one takes as
long as reading a hundred records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Annotated, Any

import msgspec

from singer_xero.objects import Component, DateForm, Field, XeroObject, left_out

INTEGERS = (-(2**63), 2**63 - 1)
"""The range of a database's largest integer."""

Leaf = Callable[[Field], Any]
"""The type of a plain value, by its field."""

Order = tuple[tuple[str, "Order"], ...]
"""Names of fields in their order, each with the order of the fields within it."""

_NUMBERS = frozenset({"money", "rate", "quantity", "percent", "number"})


def is_number(word: Field) -> bool:
    """Whether a field holds a number that may have decimals."""
    return word.kind in _NUMBERS


def order_of(records: Iterable[Mapping[str, Any]]) -> Order:
    """The order in which the fields of records appear first."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for record in records:
        for name, value in record.items():
            parts = found.setdefault(name, [])
            parts += [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]
    return tuple((name, order_of(parts)) for name, parts in found.items())


def _ordered(names: Iterable[str], order: Order) -> list[str]:
    """Sort names by an order; others follow as they are."""
    places = {name: place for place, (name, _) in enumerate(order)}
    return sorted(names, key=lambda name: places.get(name, len(places)))


@cache
def checked(xero: XeroObject, order: Order) -> type[msgspec.Struct]:
    """The type of a record that fits its schema and has its key."""
    dates, within = xero.api.dates, dict(order)
    key = {name: _key(xero.fields[name], dates) for name in xero.key}
    own = {
        name: _checked(word, dates, within.get(name, ()))
        for name, word in xero.fields.items()
        if name not in key
    }
    return _strict(xero.name, own, xero.dropped, key, order)


@cache
def _checked_part(part: Component, dates: DateForm, order: Order) -> type[msgspec.Struct]:
    within = dict(order)
    fields = {name: _checked(word, dates, within.get(name, ())) for name, word in part.fields.items()}
    return _strict("part", fields, left_out(part, dates), {}, order)


def _strict(
    name: str, fields: Mapping[str, Any], others: Iterable[str], key: Mapping[str, Any], order: Order
) -> type[msgspec.Struct]:
    made: dict[str, Any] = {field: (field, kind) for field, kind in key.items()}
    made |= {field: (field, kind | None, None) for field, kind in fields.items()}
    made |= {field: (field, msgspec.Raw, None) for field in sorted(others)}
    return msgspec.defstruct(
        name, map(made.__getitem__, _ordered(made, order)), kw_only=True, forbid_unknown_fields=True, gc=False
    )


def _checked(word: Field, dates: DateForm, order: Order = ()) -> Any:
    if word.kind == "one" and word.component:
        return _checked_part(word.component, dates, order)
    if word.kind == "many":
        part, item = word.component, word.item or Field("text")
        inner = _checked_part(part, dates, order) if part else _checked(item, dates)
        return list[inner | None]  # type: ignore[valid-type]
    if is_number(word):
        return float | str if word.mixed else float
    if word.kind == "flag":
        return bool | str if word.mixed else bool
    if word.kind == "whole":
        return Annotated[int, msgspec.Meta(ge=INTEGERS[0], le=INTEGERS[1])]
    plain: Any = Annotated[str, msgspec.Meta(max_length=word.length)] if word.length else str
    return plain | int if word.mixed else plain


def _key(word: Field, dates: DateForm) -> Any:
    if word.kind == "whole":
        return _checked(word, dates)
    return Annotated[str, msgspec.Meta(min_length=1, max_length=word.length)]


@cache
def raw(xero: XeroObject, order: Order) -> type[msgspec.Struct]:
    """The type of a record with its values as bytes, and `tenant_id` as its first field. Missing fields are UNSET."""
    return _loose(xero.name, xero.fields, _raw_part, msgspec.Raw, order, ("tenant_id",))


@cache
def _raw_part(part: Component, order: Order) -> type[msgspec.Struct]:
    return _loose("part", part.fields, _raw_part, msgspec.Raw, order)


@cache
def decoded(xero: XeroObject) -> type[msgspec.Struct]:
    """The type of a record with its values. Missing fields are UNSET."""
    return _loose(xero.name, xero.fields, _decoded_part, Any, ())


@cache
def _decoded_part(part: Component, order: Order) -> type[msgspec.Struct]:
    return _loose("part", part.fields, _decoded_part, Any, order)


def _loose(
    name: str,
    fields: Mapping[str, Field],
    part_type: Callable[[Component, Order], type[msgspec.Struct]],
    leaf: Any,
    order: Order,
    before: tuple[str, ...] = (),
) -> type[msgspec.Struct]:
    within = dict(order)

    def kind(field: str, word: Field) -> Any:
        if word.component is None:
            return str | None if word.is_date else leaf
        inner = part_type(word.component, within.get(field, ()))
        return inner | None if word.kind == "one" else list[inner | None] | None  # type: ignore[valid-type]

    made: list[Any] = [(field, str, msgspec.UNSET) for field in before]
    made += [(field, kind(field, fields[field]), msgspec.UNSET) for field in _ordered(fields, order)]
    return msgspec.defstruct(name, made, gc=False)
