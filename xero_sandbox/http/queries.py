"""The selection of a list: ``where``, ``order``, the named filters and If-Modified-Since."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from ..resources import Resource
from ..values import UTC, instant

Record = Mapping[str, Any]
Test = Callable[[Record], bool]
Value = Callable[[Record], Any]


class QueryError(ValueError):
    """A ``where``, ``order`` or filter that Xero can't parse; it answers 400 with ErrorNumber 16."""


# --- where -----------------------------------------------------------------------------------------------

_TOKENS = re.compile(
    r"""\s*(?:
      (?P<text>"(?:[^"\\]|\\.)*")
    | (?P<number>-?\d+(?:\.\d+)?)[mMdD]?(?![\w])
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<sign>==|!=|<>|>=|<=|&&|\|\||[=<>!().,])
    )""",
    re.VERBOSE,
)
_CONSTANTS = {"null": None, "true": True, "false": False}
_PYTHON = {"&&": "and", "||": "or", "!": "not", "=": "==", "<>": "!="}
"""Signs of Xero's grammar that Python writes differently."""

_COMPARISONS: dict[type[ast.cmpop], tuple[str, Callable[[Any, Any], bool]]] = {
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
}


def where(source: str, fields: Iterable[str]) -> tuple[Test, set[str]]:
    """The test that a ``where`` text stands for, and the fields that it reads.

    Grammar: comparisons (``==``, ``!=``, ``<``, ``<=``, ``>``, ``>=``) of fields (``Contact.Name``), text in
    double quotes, numbers, ``true``, ``false``, ``null``, ``Guid("...")`` and ``DateTime(y, m, d[, h, m, s])``;
    ``.Contains``, ``.StartsWith``, ``.EndsWith``, ``.ToLower``, ``.ToUpper``; AND, OR, NOT and brackets.
    Text is compared without case. Raises ``QueryError``.
    """
    parsed = _Where(source.strip(), frozenset(fields))
    test = parsed.value(parsed.tree())
    return (lambda record: bool(test(record))), parsed.used


class _Where:
    """Xero's grammar is close to Python's: the text is rewritten, and Python's tree becomes a function of a record."""

    def __init__(self, source: str, fields: frozenset[str]) -> None:
        self._source, self._fields = source, fields
        self._constants: list[Any] = []
        self.used: set[str] = set()

    def tree(self) -> ast.expr:
        """The text as a Python expression, in which each constant is an index into ``_constants``."""
        try:
            return ast.parse(" ".join(self._words()), mode="eval").body
        except SyntaxError:
            raise self._error("Syntax error") from None

    def _words(self) -> Iterator[str]:
        at = 0
        while at < len(self._source):
            match = _TOKENS.match(self._source, at)
            if match is None or match.lastgroup is None:
                raise self._error(f"Syntax error at position {at}")
            kind, word, at = match.lastgroup, match[match.lastgroup], match.end()
            lower = word.lower()
            if kind == "name" and lower not in _CONSTANTS:
                yield lower if lower in {"and", "or", "not"} else word
            elif kind == "sign":
                yield _PYTHON.get(word, word)
            else:
                text = re.sub(r"\\(.)", r"\1", word[1:-1])
                self._constants.append(
                    text if kind == "text" else Decimal(word) if kind == "number" else _CONSTANTS[lower]
                )
                yield str(len(self._constants) - 1)

    def _error(self, message: str) -> QueryError:
        return QueryError(f"{message} in {self._source!r}")

    def value(self, node: ast.expr) -> Value:
        """The function that computes a part of the tree from a record."""
        match node:
            case ast.BoolOp(op=op, values=values):
                parts, combined = [self.value(one) for one in values], all if isinstance(op, ast.And) else any
                return lambda record: combined(part(record) for part in parts)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                inner = self.value(operand)
                return lambda record: not inner(record)
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARISONS:
                return _compare(*_COMPARISONS[type(op)], self.value(left), self.value(right))
            case ast.Constant(value=int(index)):
                constant = self._constants[index]
                return lambda _record: constant
            case ast.Call(func=function, args=args, keywords=[]):
                return self._call(function, [self.value(one)({}) for one in args])
            case ast.Name() | ast.Attribute():
                return self._field(ast.unparse(node).split("."))
        raise self._error("Syntax error")

    def _call(self, function: ast.expr, arguments: list[Any]) -> Value:
        name = ast.unparse(function).lower().removesuffix(".parse")
        if name in {"guid", "datetime"}:
            constant = self._made(name, arguments)
            return lambda _record: constant
        method = _METHODS.get(function.attr.lower()) if isinstance(function, ast.Attribute) else None
        if method is None or not isinstance(function, ast.Attribute):
            raise self._error(f"No applicable method '{name.rpartition('.')[2]}'")
        try:
            method("", *arguments)
        except TypeError:
            raise self._error("Wrong number of arguments in a method call") from None
        subject = self.value(function.value)
        return lambda record: method(subject(record), *arguments)

    def _made(self, kind: str, arguments: list[Any]) -> Any:
        try:
            if kind == "guid":
                return str(arguments[0]).lower()
            if isinstance(arguments[0], str):
                return instant(arguments[0])
            return datetime(*(int(one) for one in arguments), tzinfo=UTC)  # type: ignore[arg-type, misc]
        except (ValueError, IndexError, TypeError):
            raise self._error(f"{kind} can't be made of {arguments}") from None

    def _field(self, path: list[str]) -> Value:
        if path[0] not in self._fields:
            raise QueryError(f"No property or field '{path[0]}' exists")
        last = path.pop() if path[-1] in {"HasValue", "Value"} and len(path) > 1 else ""
        self.used.add(".".join(path))
        if last == "HasValue":
            return lambda record: _at(record, path) is not None
        return lambda record: _at(record, path)


_METHODS: dict[str, Callable[..., Any]] = {
    "contains": lambda text, part: _fold(part) in _fold(text),
    "startswith": lambda text, part: _fold(text).startswith(_fold(part)),
    "endswith": lambda text, part: _fold(text).endswith(_fold(part)),
    "equals": lambda text, other: _fold(text) == _fold(other),
    "tolower": lambda text: text,
    "toupper": lambda text: text,
    "tostring": lambda text: text,
}


def _fold(value: Any) -> str:
    return "" if value is None else str(value).casefold()


def _at(record: Any, path: list[str]) -> Any:
    for name in path:
        if not isinstance(record, Mapping):
            return None
        record = record.get(name)
    return record


def _compare(sign: str, compare: Callable[[Any, Any], bool], left: Value, right: Value) -> Value:
    def compared(record: Record) -> bool:
        one, other = _comparable(left(record), right(record))
        if sign not in {"==", "!="} and (one is None or other is None):
            return False
        try:
            return compare(one, other)
        except TypeError:
            raise QueryError(f"Operator '{sign}' incompatible with operand types") from None

    return compared


def _comparable(one: Any, other: Any) -> tuple[Any, Any]:
    """Both sides as comparable values: dates as instants, numbers as decimals, text without case."""
    if isinstance(one, date) or isinstance(other, date):
        return _moment(one), _moment(other)
    if isinstance(one, bool) or isinstance(other, bool):
        return one, other
    if isinstance(one, (int, Decimal)) and isinstance(other, (int, Decimal)):
        return Decimal(one), Decimal(other)
    if isinstance(one, (int, Decimal)) and isinstance(other, str):
        return one, _number(other)
    if isinstance(other, (int, Decimal)) and isinstance(one, str):
        return _number(one), other
    return _caseless(one), _caseless(other)


def _caseless(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _number(text: str) -> Any:
    try:
        return Decimal(text)
    except InvalidOperation:
        return text


def parsed(text: str) -> datetime:
    """The instant that a text names. Raises ``QueryError``."""
    try:
        return instant(text)
    except ValueError as error:
        raise QueryError(str(error)) from None


def _moment(value: Any) -> Any:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return parsed(value) if isinstance(value, str) else value


# --- order -----------------------------------------------------------------------------------------------


def order(source: str, fields: Iterable[str]) -> list[tuple[list[str], bool]]:
    """``Date DESC, Total`` as [(path, descending)]. Raises ``QueryError``."""
    known, found = frozenset(fields), []
    for part in source.split(","):
        words = part.split()
        if not words or len(words) > 2 or (len(words) == 2 and words[1].upper() not in {"ASC", "DESC"}):
            raise QueryError(f"Syntax error in order {source!r}")
        path = words[0].split(".")
        if path[0] not in known:
            raise QueryError(f"No property or field '{words[0]}' exists")
        found.append((path, len(words) == 2 and words[1].upper() == "DESC"))
    return found


def arranged(records: list[Any], keys: list[tuple[list[str], bool]]) -> list[Any]:
    """``records`` in that order; the sort is stable, and records without a value come first."""
    for path, descending in reversed(keys):
        records = sorted(records, key=lambda record: _sortable(_at(record, path)), reverse=descending)
    return records


def _sortable(value: Any) -> tuple[int, Any]:
    if value is None:
        return (0, 0)
    if isinstance(value, date):
        return (1, _moment(value).timestamp())
    return (1, _caseless(value))


# --- named filters ---------------------------------------------------------------------------------------


_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _listed(text: str) -> frozenset[str]:
    return frozenset(one.strip().lower() for one in text.split(",") if one.strip())


def guids(text: str) -> bool:
    """Whether the text is a list of identifiers; Xero refuses ``IDs`` that aren't (freakboy3742/pyxero#339)."""
    return all(_GUID.fullmatch(one) for one in _listed(text))


def _one_of(*path: str) -> Callable[[str], Test]:
    def filtered(text: str) -> Test:
        wanted = _listed(text)
        return lambda record: _fold(_at(record, list(path))) in wanted

    return filtered


def _day(compare: Callable[[date, date], bool], name: str) -> Callable[[str], Test]:
    def filtered(text: str) -> Test:
        bound = parsed(text).date()
        return lambda record: record.get(name) is not None and compare(record[name], bound)

    return filtered


def _found_in(*paths: str) -> Callable[[str], Test]:
    def filtered(text: str) -> Test:
        wanted = text.casefold()
        return lambda record: any(wanted in _fold(_at(record, path.split("."))) for path in paths)

    return filtered


FILTERS: dict[str, Callable[[str], Test]] = {
    "InvoiceNumbers": _one_of("InvoiceNumber"),
    "ContactIDs": _one_of("Contact", "ContactID"),
    "Statuses": _one_of("Status"),
    "References": _one_of("Reference"),
    "DateFrom": _day(operator.ge, "Date"),
    "DateTo": _day(operator.le, "Date"),
    "ExpiryDateFrom": _day(operator.ge, "ExpiryDate"),
    "ExpiryDateTo": _day(operator.le, "ExpiryDate"),
    "Quotes.ContactID": _one_of("Contact", "ContactID"),
    "Invoices.searchTerm": _found_in("InvoiceNumber", "Reference", "Contact.Name"),
    "Contacts.searchTerm": _found_in("Name", "FirstName", "LastName", "ContactNumber", "EmailAddress"),
}
"""The filters of query parameters; any other parameter is compared with the field of that name."""


def named_filter(resource: Resource, name: str, text: str) -> Test:
    """The test that ``?name=text`` stands for. Raises ``QueryError``."""
    usual = _one_of(resource.id if name == "IDs" else name)
    return (FILTERS.get(f"{resource.path}.{name}") or FILTERS.get(name, usual))(text)


def true(text: str | None) -> bool:
    """Whether a query value means true, in any case: official SDKs send ``True`` as well as ``true``."""
    return text is not None and text.strip().lower() in {"true", "1"}


# --- If-Modified-Since -----------------------------------------------------------------------------------


def since(header: str | None) -> datetime | None:
    """The whole second that If-Modified-Since names; an empty header is none. Raises ``QueryError``."""
    if header is None or not header.strip():
        return None
    try:
        return instant(header).replace(microsecond=0)
    except ValueError:
        raise QueryError(f"If-Modified-Since {header!r} is not a date such as 2026-11-20T09:00:00") from None


def modified_after(name: str, bound: datetime, *, inclusive: bool) -> Test:
    """The test for records changed since ``bound``; without ``inclusive``, not in the same second."""
    if not inclusive:
        bound += timedelta(seconds=1)
    return lambda record: record.get(name) is not None and record[name] >= bound
