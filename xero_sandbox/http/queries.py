"""Which records a list call asks for: ``where``, ``order`` and the named filters."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from ..values import instant

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


class _Token(NamedTuple):
    kind: str
    text: str


def _tokens(source: str) -> list[_Token]:
    found, at = [], 0
    source = source.strip()
    while at < len(source):
        match = _TOKENS.match(source, at)
        if match is None or match.lastgroup is None:
            raise QueryError(f"Syntax error at position {at} of {source!r}")
        found.append(_Token(match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return found


def where(source: str, fields: Iterable[str]) -> tuple[Test, set[str]]:
    """The test that a ``where`` text means, and the fields it looks at.

    Grammar: comparisons (``==``, ``!=``, ``<``, ``<=``, ``>``, ``>=``) of fields (``Contact.Name``), text in
    double quotes, numbers, ``true``, ``false``, ``null``, ``Guid("...")`` and ``DateTime(y, m, d[, h, m, s])``;
    ``.Contains``, ``.StartsWith``, ``.EndsWith``, ``.ToLower``, ``.ToUpper``; AND, OR, NOT and brackets.
    Text is compared without case. Raises ``QueryError``.
    """
    parser = _Parser(_tokens(source), frozenset(fields), source)
    test = parser.either()
    parser.finish()
    return (lambda record: bool(test(record))), parser.used


class _Parser:
    def __init__(self, tokens: list[_Token], fields: frozenset[str], source: str) -> None:
        self._tokens, self._at, self._fields, self._source = tokens, 0, fields, source
        self.used: set[str] = set()

    def _peek(self, ahead: int = 0) -> _Token:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else _Token("end", "")

    def _take(self, *texts: str) -> bool:
        if self._peek().kind != "text" and self._peek().text.lower() in texts:
            self._at += 1
            return True
        return False

    def _need(self, text: str) -> None:
        if not self._take(text):
            raise QueryError(f"{text!r} expected before {self._peek().text!r} in {self._source!r}")

    def finish(self) -> None:
        if self._peek().kind != "end":
            raise QueryError(f"Syntax error at {self._peek().text!r} in {self._source!r}")

    def either(self) -> Value:
        left = self._both()
        while self._take("or", "||"):
            left = _or(left, self._both())
        return left

    def _both(self) -> Value:
        left = self._one()
        while self._take("and", "&&"):
            left = _and(left, self._one())
        return left

    def _one(self) -> Value:
        if self._take("not", "!"):
            inner = self._one()
            return lambda record: not inner(record)
        left = self._value()
        for sign in ("==", "=", "!=", "<>", ">=", "<=", ">", "<"):
            if self._take(sign):
                return _compare(sign, left, self._value())
        return left

    def _value(self) -> Value:
        token = self._peek()
        self._at += 1
        if token.text == "(" and token.kind == "sign":
            inner = self.either()
            self._need(")")
            return self._calls(inner)
        if token.kind == "text":
            return self._calls(_constant(re.sub(r"\\(.)", r"\1", token.text[1:-1])))
        if token.kind == "number":
            return _constant(Decimal(token.text))
        if token.kind != "name":
            raise QueryError(f"Expression expected before {token.text!r} in {self._source!r}")
        lower = token.text.lower()
        if lower in {"null", "true", "false"}:
            return _constant({"null": None, "true": True, "false": False}[lower])
        if lower in {"guid", "datetime"} and (self._peek().text in {"(", "."}):
            if self._take("."):
                self._need("parse")
            return self._call_of(lower)
        return self._field(token.text)

    def _call_of(self, name: str) -> Value:
        arguments = self._arguments()
        try:
            if name == "guid":
                return _constant(str(arguments[0]).lower())
            if isinstance(arguments[0], str):
                return _constant(instant(arguments[0]))
            year, month, day, *time = (int(one) for one in arguments)
            hour, minute, second = (*time, 0, 0, 0)[:3]
            return _constant(datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc))
        except (ValueError, IndexError, TypeError):
            raise QueryError(f"{name} can't be made of {arguments} in {self._source!r}") from None

    def _arguments(self) -> list[Any]:
        self._need("(")
        found: list[Any] = []
        while not self._take(")"):
            found.append(self._value()({}))
            if not self._take(",") and self._peek().text != ")":
                raise QueryError(f"')' expected before {self._peek().text!r} in {self._source!r}")
        return found

    def _field(self, name: str) -> Value:
        if name not in self._fields:
            raise QueryError(f"No property or field '{name}' exists")
        path = [name]
        while self._peek().text == "." and self._peek(1).kind == "name" and self._peek(2).text != "(":
            path.append(self._peek(1).text)
            self._at += 2
        if path[-1] in {"HasValue", "Value"} and len(path) > 1:
            last = path.pop()
            if last == "HasValue":
                self.used.add(".".join(path))
                return lambda record: _at(record, path) is not None
        self.used.add(".".join(path))
        return self._calls(lambda record: _at(record, path))

    def _calls(self, subject: Value) -> Value:
        while self._peek().text == "." and self._peek(2).text == "(":
            self._at += 1
            method = self._peek().text.lower()
            self._at += 1
            arguments = self._arguments()
            if method not in _METHODS:
                raise QueryError(f"No applicable method '{method}' in {self._source!r}")
            subject = _call(_METHODS[method], subject, arguments)
        return subject


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


def _constant(value: Any) -> Value:
    return lambda _record: value


def _or(left: Value, right: Value) -> Value:
    return lambda record: left(record) or right(record)


def _and(left: Value, right: Value) -> Value:
    return lambda record: left(record) and right(record)


def _call(method: Callable[..., Any], subject: Value, arguments: list[Any]) -> Value:
    try:
        method("", *arguments)
    except TypeError:
        raise QueryError("Wrong number of arguments in a method call") from None
    return lambda record: method(subject(record), *arguments)


def _at(record: Any, path: list[str]) -> Any:
    for name in path:
        if not isinstance(record, Mapping):
            return None
        record = record.get(name)
    return record


def _compare(sign: str, left: Value, right: Value) -> Value:
    def compare(record: Record) -> bool:
        one, other = _comparable(left(record), right(record))
        if sign in {"==", "="}:
            return bool(one == other)
        if sign in {"!=", "<>"}:
            return bool(one != other)
        if one is None or other is None:
            return False
        try:
            return bool({">": one > other, "<": one < other, ">=": one >= other, "<=": one <= other}[sign])
        except TypeError:
            raise QueryError(f"Operator '{sign}' incompatible with operand types") from None

    return compare


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
    return (
        one.casefold() if isinstance(one, str) else one,
        other.casefold() if isinstance(other, str) else other,
    )


def _number(text: str) -> Any:
    try:
        return Decimal(text)
    except InvalidOperation:
        return text


def _moment(value: Any) -> Any:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=timezone.utc)
    if isinstance(value, str):
        try:
            return instant(value)
        except ValueError as error:
            raise QueryError(str(error)) from None
    return value


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
    """``records`` in that order; equals stay as they were, and those without a value come first."""
    for path, descending in reversed(keys):
        records = sorted(records, key=lambda record: _sortable(_at(record, path)), reverse=descending)
    return records


def _sortable(value: Any) -> tuple[int, Any]:
    if value is None:
        return (0, 0)
    if isinstance(value, date):
        return (1, _moment(value).timestamp())
    return (1, value.casefold() if isinstance(value, str) else value)


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
        try:
            bound = instant(text).date()
        except ValueError as error:
            raise QueryError(str(error)) from None
        return lambda record: record.get(name) is not None and compare(record[name], bound)

    return filtered


def _found_in(*paths: str) -> Callable[[str], Test]:
    def filtered(text: str) -> Test:
        wanted = text.casefold()
        return lambda record: any(wanted in _fold(_at(record, path.split("."))) for path in paths)

    return filtered


FILTERS: dict[str, dict[str, Callable[[str], Test]]] = {
    "*": {
        "InvoiceNumbers": _one_of("InvoiceNumber"),
        "ContactIDs": _one_of("Contact", "ContactID"),
        "Statuses": _one_of("Status"),
        "Status": _one_of("Status"),
        "References": _one_of("Reference"),
        "QuoteNumber": _one_of("QuoteNumber"),
        "DateFrom": _day(lambda one, bound: one >= bound, "Date"),
        "DateTo": _day(lambda one, bound: one <= bound, "Date"),
        "ExpiryDateFrom": _day(lambda one, bound: one >= bound, "ExpiryDate"),
        "ExpiryDateTo": _day(lambda one, bound: one <= bound, "ExpiryDate"),
        "ContactID": _one_of("Contact", "ContactID"),
    },
    "Invoices": {
        "IDs": _one_of("InvoiceID"),
        "searchTerm": _found_in("InvoiceNumber", "Reference", "Contact.Name"),
    },
    "Contacts": {
        "IDs": _one_of("ContactID"),
        "searchTerm": _found_in("Name", "FirstName", "LastName", "ContactNumber", "EmailAddress"),
    },
    "Budgets": {"IDs": _one_of("BudgetID")},
    "LinkedTransactions": {
        "LinkedTransactionID": _one_of("LinkedTransactionID"),
        "SourceTransactionID": _one_of("SourceTransactionID"),
        "TargetTransactionID": _one_of("TargetTransactionID"),
        "ContactID": _one_of("ContactID"),
    },
}
"""How each named query parameter filters, by resource; ``*`` is any resource."""


def named_filter(resource: str, name: str, text: str) -> Test:
    """The test that ``?name=text`` means on a resource. Raises ``QueryError``."""
    return (FILTERS.get(resource, {}).get(name) or FILTERS["*"][name])(text)


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
    """Records changed since ``bound``; not inclusive leaves out those of the same second too."""
    if not inclusive:
        bound += timedelta(seconds=1)
    return lambda record: record.get(name) is not None and record[name] >= bound
