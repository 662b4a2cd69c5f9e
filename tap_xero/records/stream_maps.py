"""Stream maps with exact amounts: checks of the SDK's maps before a run, and arithmetic with decimals during it.

Amounts are Decimals and constants in expressions are floats, which Python doesn't mix. Here `Total * 1.1` uses the
constant as it is written. As in SQL, the result of an operation on null is null. Errors name the expression.
"""

from __future__ import annotations

import ast
import fnmatch
import json
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec
import simpleeval
from singer_sdk.mapper import (
    MAPPER_ELSE_OPTION,
    MAPPER_FILTER_OPTION,
    MAPPER_SOURCE_OPTION,
    NULL_STRING,
    CustomStreamMap,
    StreamMap,
)

from singer_xero.errors import ConfigurationProblem, suggested
from singer_xero.objects import EVERY

Record = dict[str, Any]

SPECIAL = frozenset({
    "_", "record", "config", "self", "fake", "__stream_name__", "__original_stream_name__", "None", "True", "False",
})  # fmt: skip
"""Names that expressions may use beside the fields of the record."""

FUNCTIONS = frozenset({*simpleeval.DEFAULT_FUNCTIONS, "md5", "sha256", "datetime", "bool", "json"})

NUMBER = "float((  "
"""How an expression begins that was wrapped to be a number; no user writes this."""

_ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow)
_ORDER = (ast.Gt, ast.Lt, ast.GtE, ast.LtE)
_EQUALITY = (ast.Eq, ast.NotEq)


class MapProblem(Exception):
    """An expression failed for a record. The text names the expression and has no value of the record."""


# Before a run


def check_maps(maps: Any) -> None:
    """Raise `ConfigurationProblem` for an invalid stream map; it names the stream, the field and the expression."""
    if not isinstance(maps, dict):
        raise ConfigurationProblem("stream_maps must be an object with a map for each stream.")
    for key, given in maps.items():
        if key == MAPPER_ELSE_OPTION or given is None or given == NULL_STRING:
            continue
        if not isinstance(given, dict):
            raise ConfigurationProblem(f"stream_maps, {key}: it must be an object of fields, or null.")
        source = _source(key, given)
        if not fnmatch.filter(EVERY, source):
            raise ConfigurationProblem(
                f"stream_maps, {key}: no stream is called {source}{suggested(source, EVERY)}"
            )
        for where, expression in _expressions(key, given):
            _parsed(where, expression)


def check_names(maps: Mapping[str, Any], schemas: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise `ConfigurationProblem` for an expression that names a field which its stream doesn't have.

    `schemas` are the streams' schemas by name. Maps for a pattern of streams are not checked before the run.
    """
    for key, given in maps.items():
        schema = schemas.get(_source(key, given)) if isinstance(given, dict) else None
        for where, expression in _expressions(key, given) if schema else ():
            _check_names_of(where, expression, schema["properties"] if schema else {})


def _source(key: str, given: Mapping[str, Any]) -> str:
    return str(given.get(MAPPER_SOURCE_OPTION, key))


def _expressions(key: str, given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The expressions of a map, each with its place."""
    for name, expression in given.items():
        if (not name.startswith("__") or name == MAPPER_FILTER_OPTION) and expression is not None:
            yield f"stream_maps, {key}, {name}", expression


def _parsed(where: str, expression: Any) -> ast.Expression:
    if not isinstance(expression, str):
        raise ConfigurationProblem(f"{where}: it must be an expression as text, or null.")
    try:
        return ast.parse(expression, mode="eval")
    except (SyntaxError, ValueError):
        raise ConfigurationProblem(f"{where}: the expression {expression!r} can't be understood.") from None


def _check_names_of(where: str, expression: str, fields: Mapping[str, Any]) -> None:
    names = [node for node in ast.walk(_parsed(where, expression)) if isinstance(node, ast.Name)]
    own = {node.id for node in names if not isinstance(node.ctx, ast.Load)}  # of a comprehension
    for node in names:
        if node.id not in own | SPECIAL | FUNCTIONS | fields.keys():
            meant = suggested(node.id, fields)
            raise ConfigurationProblem(f"{where}: in {expression!r} there is no field {node.id}{meant}")


def with_numbers(maps: Mapping[str, Any], schemas: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Wrap arithmetic in maps so that it makes a numeric column: to the SDK, every new field is text by default."""
    found: dict[str, Any] = {}
    for key, given in maps.items():
        found[key] = given
        if not isinstance(given, dict):
            continue
        fields = {
            name: field
            for one in fnmatch.filter(schemas, _source(key, given))
            for name, field in schemas[one]["properties"].items()
        }
        found[key] = {
            name: f"{NUMBER}{expression}))"
            if name not in fields and _is_arithmetic(expression, fields)
            else expression
            for name, expression in given.items()
        }
    return found


def _is_arithmetic(expression: Any, fields: Mapping[str, Any]) -> bool:
    """Whether an expression is arithmetic with numbers only."""
    if not isinstance(expression, str):
        return False
    node = ast.parse(expression, mode="eval").body
    return isinstance(node, (ast.BinOp, ast.UnaryOp)) and _is_number(node, fields)


def _is_number(node: ast.AST, fields: Mapping[str, Any]) -> bool:
    if isinstance(node, ast.BinOp):
        operands = _is_number(node.left, fields) and _is_number(node.right, fields)
        return operands and isinstance(node.op, _ARITHMETIC)
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.USub) and _is_number(node.operand, fields)
    if isinstance(node, ast.Constant):
        return isinstance(node.value, (int, float)) and not isinstance(node.value, bool)
    if isinstance(node, ast.Name):
        return bool({"number", "integer"} & set(fields.get(node.id, {}).get("type", ())))
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"int", "float"}


# During a run


def prepare(stream_map: StreamMap) -> None:
    """Make a map compute with Decimals and name the expression that fails."""
    if not isinstance(stream_map, CustomStreamMap):
        return
    evaluator = stream_map.expr_evaluator
    if isinstance(evaluator, _Naming):
        return
    operators = dict(evaluator.operators)
    for kind, of_null in (*dict.fromkeys(_ARITHMETIC).items(), *dict.fromkeys(_ORDER, False).items()):
        operators[kind] = _null_safe(_exact(operators[kind]), of_null)
    for kind in _EQUALITY:
        operators[kind] = _exact(operators[kind])
    evaluator.operators = operators
    safe = {name: _null_safe(evaluator.functions[name], None) for name in ("int", "str", "md5", "sha256")}
    evaluator.functions = {**evaluator.functions, **safe, "float": _null_safe(_number, None)}
    stream_map.expr_evaluator = _Naming(evaluator)


def _number(value: Any) -> Any:
    """Convert to a number; Decimals stay Decimals."""
    return value if isinstance(value, Decimal) else float(value)


def _null_safe(work_out: Callable[..., Any], of_null: Any) -> Callable[..., Any]:
    """Make an operator return `of_null` if an operand is null."""

    def apply(*given: Any) -> Any:
        return of_null if None in given else work_out(*given)

    return apply


class _Naming:
    """An evaluator whose errors name the expression."""

    def __init__(self, evaluator: simpleeval.EvalWithCompoundTypes) -> None:
        self._evaluator = evaluator

    @property
    def names(self) -> Any:
        """What expressions may name."""
        return self._evaluator.names

    @names.setter
    def names(self, names: Any) -> None:
        self._evaluator.names = names

    def eval(self, expr: str, previously_parsed: Any = None) -> Any:
        """Evaluate an expression. Raises `MapProblem`."""
        try:
            return self._evaluator.eval(expr, previously_parsed=previously_parsed)
        except Exception as error:  # whatever a user's expression does
            what = f"there is no field {error.name}" if isinstance(error, simpleeval.NameNotDefined) else None
            shown = expr.removeprefix(NUMBER).removesuffix("))") if expr.startswith(NUMBER) else expr
            raise MapProblem(f"stream_maps: {shown}: {what or type(error).__name__}") from None


def _exact(operate: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Make an operator convert a float beside a Decimal exactly, as it is written."""

    def apply(left: Any, right: Any) -> Any:
        if isinstance(left, Decimal) and isinstance(right, float):
            right = Decimal(repr(right))
        elif isinstance(left, float) and isinstance(right, Decimal):
            left = Decimal(repr(left))
        return operate(left, right)

    return apply


class Finisher:
    """Makes the result of a map fit its schema: only its fields, in its order, as text where the schema has text.

    With `complete`, missing fields are null.
    """

    def __init__(self, stream_map: StreamMap, *, complete: bool) -> None:
        properties = stream_map.transformed_schema.get("properties", {})
        self._names = list(properties)
        self._complete = complete
        texts = (name for name, field in properties.items() if _kinds(field) <= {"string", "null"})
        self._texts = tuple(texts) if isinstance(stream_map, CustomStreamMap) else ()

    def finish(self, record: Record) -> Record:
        """The record as it is written."""
        for name in self._texts:
            value = record.get(name)
            if isinstance(value, (int, float, Decimal, dict, list)):
                record[name] = str(value) if isinstance(value, Decimal) else json.dumps(value, default=str)
        if self._complete:
            return {name: record.get(name) for name in self._names}
        return {name: record[name] for name in self._names if name in record}


def _kinds(field: Mapping[str, Any]) -> set[str]:
    kinds = field.get("type", ())
    return {kinds} if isinstance(kinds, str) else set(kinds)


Completion = Callable[[Any], Any]
"""Adds the missing fields to a record, or to a tree with its fields."""


def completion(schema: Mapping[str, Any], *, nested: bool) -> Completion:
    """Make what gives a record all fields of its schema, in its order; with `nested`, also to the objects in it."""
    blank = dict.fromkeys(schema.get("properties", {}))
    parts: list[tuple[str, Completion]] = []
    if nested:
        parts = [
            (name, completion(field, nested=True))
            for name, field in schema.get("properties", {}).items()
            if "object" in _kinds(field) and "properties" in field
        ]

    def complete(record: Any) -> Any:
        if isinstance(record, msgspec.Struct):  # see `RecordReader.undecoded`
            for name in record.__struct_fields__:
                if getattr(record, name) is msgspec.UNSET:
                    setattr(record, name, None)
            return record
        found = {**blank, **record}
        for name, plan in parts:
            if isinstance(found.get(name), dict):
                found[name] = plan(found[name])
        return found

    return complete
