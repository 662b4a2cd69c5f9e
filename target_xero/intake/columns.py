"""Maps the columns of flat tables to fields of a record, of a line or of a nested part.

The parser knows fields under Xero's own names and those that the SDK's flattening makes. This module adds the columns
of Xero's import templates, and columns that hold one line of a document each.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from target_xero.content.payload import RecordParser
from target_xero.content.spelling import folded, is_blank
from target_xero.content.values import InvalidRecord
from target_xero.write_specs.spec import WriteSpec

#: The path of a field: `("Addresses", "POBOX", "City")` is the City of the address of type POBOX.
Path = tuple[str, ...]


def _templates() -> dict[str, dict[str, tuple[Path, ...]]]:
    found: dict[str, dict[str, tuple[Path, ...]]] = {}
    text = files(__package__).joinpath("template_columns.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        columns = found.setdefault(row["object"], {})
        columns[row["column"]] = (*columns.get(row["column"], ()), tuple(row["field"].split(".")))
    return found


#: By object, the columns of Xero's import templates that have another name than their fields.
TEMPLATES: Mapping[str, Mapping[str, tuple[Path, ...]]] = _templates()
_MOVED = {
    name: {folded(column): paths for column, paths in columns.items()} for name, columns in TEMPLATES.items()
}
_TERMS = {
    "currentmonth": "OFCURRENTMONTH",
    "ofthecurrentmonth": "OFCURRENTMONTH",
    "followingmonth": "OFFOLLOWINGMONTH",
    "ofthefollowingmonth": "OFFOLLOWINGMONTH",
    "daysafter": "DAYSAFTERBILLDATE",
    "daysafterbilldate": "DAYSAFTERBILLDATE",
    "daysafterinvoicedate": "DAYSAFTERBILLDATE",
    "daysafterendofmonth": "DAYSAFTERBILLMONTH",
    "daysafterbillmonth": "DAYSAFTERBILLMONTH",
    "daysafterinvoicemonth": "DAYSAFTERBILLMONTH",
}
_TAX = {"inclusive": "INCLUSIVE", "exclusive": "EXCLUSIVE", "notax": "NONE"}
#: The API's values for those of the templates, by column.
_WORDS: Mapping[str, Mapping[str, str]] = {
    "duedatebillterm": _TERMS,
    "duedatesalesterm": _TERMS,
    "defaulttaxbills": _TAX,
    "defaulttaxsales": _TAX,
}
#: The field that distinguishes the entries of a list.
_TOLD_BY = {"Addresses": "AddressType", "Phones": "PhoneType"}
_LISTS_OF_COLUMNS = frozenset(
    {*_TOLD_BY, "ContactPersons", "SalesTrackingCategories", "PurchasesTrackingCategories"}
)

#: The fields that hold the lines of a document.
LISTS = ("LineItems", "JournalLines")
_PREFIXES = ("journallineitems", "journallines", "journalline", "lineitems", "lineitem", "lines", "line")
#: Other names of a line's fields. InventoryItemCode and TaxRate come from Xero's import templates.
_LINE_ALIASES: Mapping[str, str] = {
    "InventoryItemCode": "ItemCode",
    "TaxRate": "TaxType",
    "TaxCode": "TaxType",
    "Account": "AccountCode",
    "UnitPrice": "UnitAmount",
    "Qty": "Quantity",
}
_FOLDED_ALIASES = {folded(alias): name for alias, name in _LINE_ALIASES.items()}
#: Ambiguous names, and the names to use instead. A value under such a name is rejected.
_AMBIGUOUS: Mapping[str, str] = {
    "price": "use unit_amount for the price of one, or line_amount for the whole line",
    "amount": "use line_amount for the amount of the line, or total for the amount of the document",
}
_AMBIGUOUS_OF_LINES: Mapping[str, str] = {
    "discount": "use line_discount_rate, in per cent, or line_discount_amount",
    "price": "use line_unit_amount for the price of one, or line_amount for the whole line",
    "total": "use line_amount for Quantity x UnitAmount, with or without tax according to LineAmountTypes",
}
_NUMBERS = frozenset(
    {"no", "nr", "num", "number", "index", "position", "seq", "sequence", "order", "ordinal"}
)
_KEYS = frozenset({"id", "key", "uuid", "guid"})
#: If no name begins with `line_`, a table that has one of these fields has a row for each line.
_AMOUNTS = frozenset(map(folded, ("Quantity", "UnitAmount", "LineAmount", "AccountCode", "ItemCode")))
_after_tracking = re.compile(r"tracking[\W_]*(.+)$", re.IGNORECASE | re.DOTALL).search
_is_category = re.compile(r"(?:(?:category)?name|category)(\d*)").fullmatch
_is_option = re.compile(r"(?:category)?option(?:name)?(\d*)").fullmatch
_is_guid = re.compile(r"\s*[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\s*", re.IGNORECASE).fullmatch


@dataclass(frozen=True)
class LineColumn:
    """The part of a line that a column holds: a field or, with a `kind`, the line's number, key or tracking.

    For an `ambiguous` column, `field` states the name to use instead.
    """

    field: str
    kind: str = ""


@dataclass
class Unfolded:
    """A row of a table as a record, with its line if it has one; `number` and `key` are those of the line."""

    record: Mapping[str, Any]
    number: str = ""
    key: str = ""


@dataclass
class Layout:
    """How the columns of a stream's records are read.

    `moved` are columns that fill a field of another name, and `lines` are columns that hold a part of a line.
    `list_field` is the field for the lines; it is empty if each record is a whole document.
    """

    moved: dict[str, tuple[Path, ...]] = field(default_factory=dict)
    lines: dict[str, LineColumn] = field(default_factory=dict)
    list_field: str = ""

    def unfold(self, record: Mapping[str, Any]) -> Unfolded:
        """Return a record with its columns in their fields. Raises `InvalidRecord` if two columns conflict."""
        if not self.moved and not self.lines:
            return Unfolded(record)
        whole: dict[str, Any] = {}
        nested: dict[str, Any] = {}
        line = _Line()
        for raw, value in record.items():
            if raw in self.lines:
                if not is_blank(value):
                    line.take(raw, self.lines[raw], value)
            elif raw in self.moved:
                for path in self.moved[raw]:
                    _put(nested, path, raw, value)
            else:
                whole[raw] = value
        fields = line.finished()
        if fields:
            whole[self.list_field] = [fields]
        given = {folded(raw) for raw, value in whole.items() if not is_blank(value)}
        for name, value in nested.items():
            settled = _settled(name, value)
            if is_blank(settled):
                continue
            if folded(name) in given:
                raise InvalidRecord("it is given twice, by columns of its own as well", name)
            whole[name] = settled
        return Unfolded(whole, line.number, line.key)


class _Line:
    """The line of one row, from the columns that are not blank."""

    def __init__(self) -> None:
        self.number = self.key = ""
        self._fields: dict[str, Any] = {}
        self._tracking: dict[str, dict[str, Any]] = {}

    def take(self, raw: str, column: LineColumn, value: Any) -> None:
        """Take a value. Raises `InvalidRecord` for an ambiguous column."""
        if column.kind == "number":
            self.number = str(value).strip()
        elif column.kind == "key" or (column.field == "lineitemid" and not _is_guid(str(value))):
            # A key of the source, not an id of Xero's.
            self.key = str(value).strip()
        elif column.kind == "ambiguous":
            raise InvalidRecord(f"it is ambiguous: {column.field}", raw)
        elif column.kind in {"Name", "Option"}:
            self._tracking.setdefault(f"#{column.field}", {"Name": None, "Option": None})[column.kind] = value
        elif column.kind == "category":
            self._tracking[column.field] = {column.field: value}
        else:
            per_cent = column.kind == "per cent" and isinstance(value, str)
            self._fields[column.field] = value.strip().removesuffix("%") if per_cent else value

    def finished(self) -> dict[str, Any]:
        """Return the line, which is empty if all of its columns are blank."""
        # Templates repeat the name of the category on each row, also on rows without an option.
        entries = [one for one in self._tracking.values() if not is_blank(one.get("Option", "column"))]
        if entries and "tracking" in self._fields:
            raise InvalidRecord("it is given twice, by columns of its own as well", "Tracking")
        return {**self._fields, **({"tracking": entries} if entries else {})}


def layout_of(spec: WriteSpec, parser: RecordParser, columns: Iterable[str]) -> Layout:
    """Return how records with these columns are read."""
    names = [raw for raw in columns if raw[:1] != "_"]
    unknown = [raw for raw in names if not parser.knows(raw)]
    moves = _MOVED.get(spec.name, {})
    found = Layout({raw: moves[folded(raw)] for raw in unknown if folded(raw) in moves})
    list_field = next((name for name in LISTS if name in parser.inner and spec.create), "")
    if list_field and folded(list_field) not in map(folded, names):
        line_parser = parser.inner[list_field]
        lines = _line_columns(spec, line_parser, [raw for raw in unknown if raw not in found.moved])
        if lines:
            found.lines, found.list_field = lines, list_field
    return found


def _line_columns(spec: WriteSpec, parser: RecordParser, names: Iterable[str]) -> dict[str, LineColumn]:
    """Return the columns that hold a part of a line; none if the table does not have a row for each line.

    Names that begin with `line_` belong to lines. Without such names, plain names of a line's fields are accepted, as
    in Xero's import templates, if an amount, an account or an item is among them.
    """
    prefixed: dict[str, LineColumn] = {}
    plain: dict[str, LineColumn] = {}
    for raw in names:
        name = folded(raw)
        if name.startswith("line") and parser.takes(name):
            # LineAmount and LineItemID are themselves names of a line's fields.
            plain[raw] = prefixed[raw] = LineColumn(name)
        elif column := _prefixed(spec, parser, raw, name):
            prefixed[raw] = column
        elif name == "discount" and parser.takes("DiscountRate"):
            plain[raw] = LineColumn("discountrate", "per cent")
        elif column := _line_column(spec, parser, raw, name):
            plain[raw] = column
        elif name in _AMBIGUOUS:
            plain[raw] = LineColumn(_AMBIGUOUS[name], "ambiguous")
    if any(raw not in plain for raw in prefixed):
        return prefixed
    return plain if any(column.field in _AMOUNTS for column in plain.values()) else {}


def _prefixed(spec: WriteSpec, parser: RecordParser, raw: str, name: str) -> LineColumn | None:
    """Return the part of a line that a name such as `line_quantity` means; None for any other name."""
    for prefix in _PREFIXES:
        rest = name.removeprefix(prefix)
        if rest == name:
            continue
        if column := _line_column(spec, parser, raw, rest):
            return column
        if rest in _NUMBERS:
            return LineColumn("", "number")
        if rest in _KEYS:
            return LineColumn("", "key")
        if rest in _AMBIGUOUS_OF_LINES:
            return LineColumn(_AMBIGUOUS_OF_LINES[rest], "ambiguous")
    return None


def _line_column(spec: WriteSpec, parser: RecordParser, raw: str, name: str) -> LineColumn | None:
    """Return the part of a line that a column holds; `name` is its name without the prefix for lines."""
    aliases = {**_FOLDED_ALIASES, **{folded(alias): known for alias, known in spec.line_aliases.items()}}
    for known in (name, folded(aliases.get(name, ""))):
        if known and parser.takes(known):
            return LineColumn(known)
    said = _after_tracking(raw) if name.startswith("tracking") and parser.takes("Tracking") else None
    if said is None:
        return None
    rest = folded(said[1])
    for kind, match in (("Option", _is_option(rest)), ("Name", _is_category(rest))):
        if match:
            return LineColumn(match[1], kind)
    return LineColumn(said[1], "category")


def _put(nested: dict[str, Any], path: Path, raw: str, value: Any) -> None:
    """Store the value of a column at its path."""
    words = _WORDS.get(folded(raw))
    if words and isinstance(value, str):
        value = words.get(folded(value), value)
    *way, last = path
    for op in way:
        nested = nested.setdefault(op, {})
    if is_blank(nested.get(last)):
        nested[last] = value


def _settled(name: str, value: Any) -> Any:
    """Return the value of a field: a list of entries, an object without blank fields, or a plain value."""
    if name in _LISTS_OF_COLUMNS:
        told_by = _TOLD_BY.get(name)
        return [
            {**({told_by: kind} if told_by else {}), **entry}
            for kind, entry in value.items()
            if not is_blank(entry.get("TrackingOptionName", "column"))
            and any(not is_blank(one) for one in entry.values())
        ]
    if isinstance(value, dict):
        kept = {inner: _settled(inner, one) for inner, one in value.items()}
        return {inner: one for inner, one in kept.items() if not is_blank(one)}
    return value
