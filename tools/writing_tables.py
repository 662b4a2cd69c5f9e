"""The tables of what can be written, and of its columns."""

from __future__ import annotations

from collections.abc import Iterator

from tap_xero.records.naming import snake_case
from target_xero.content.payload import REFERENCES, RecordParser
from target_xero.intake.columns import LISTS, TEMPLATES
from target_xero.write_specs.not_written import NOT_COPIED, NOT_WRITTEN
from target_xero.write_specs.rows import WRITE_SPECS, parser_of
from target_xero.write_specs.spec import Endpoint, WriteSpec


def table() -> str:
    """What each object accepts, as a Markdown table for the documentation."""
    rows = [
        "| stream | create | change | end | required for a create | recognised by |",
        "|---|---|---|---|---|---|",
    ]
    for spec in WRITE_SPECS.values():
        if not spec.create:
            continue
        needed = ", ".join(
            names.replace("|", " or ") if names.count("|") < 4 else _one_of(names) for names in spec.required
        )
        names = (
            ", ".join(spec.natural_keys) + (f" ({spec.unique_when[1]} only)" if spec.unique_when else "")
            if spec.natural_keys
            else "its content"
        )
        rows.append(
            f"| `{spec.name}` | {_size(spec.create)} | {_size(spec.update)} | {_end(spec)} | {needed} | {names} |"
        )
    return "\n".join(rows)


def not_written() -> str:
    """What is left out, with reasons, as a Markdown list."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in NOT_WRITTEN.items():
        by_reason.setdefault(reason, []).append(f"`{name}`")
    return "\n".join(f"* {', '.join(names)}: {reason}." for reason, names in by_reason.items())


def not_copied() -> str:
    """What the copy of an organisation lacks, with reasons, as a Markdown list."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in NOT_COPIED.items():
        by_reason.setdefault(reason, []).append(f"`{name.removeprefix('*.')}`" if "." in name else name)
    return "\n".join(f"* {', '.join(names)}: {reason}." for reason, names in by_reason.items())


def _size(endpoint: Endpoint | None) -> str:
    return "no" if endpoint is None else f"{endpoint.size} at once" if endpoint.size > 1 else "one at a time"


def _one_of(names: str) -> str:
    first, *_, last = names.split("|")
    return f"its document ({first} … {last})"


def _end(spec: WriteSpec) -> str:
    done = {"DELETED": "deleted", "VOIDED": "voided", "ARCHIVED": "archived"}
    return ", ".join(done[status] for status in spec.end_statuses) or ("deleted" if spec.remove else "no")


def columns_table() -> str:
    """The flat columns of each object, as a Markdown table."""
    lines = [
        "| stream | columns | columns of one line | also, in Xero's import template |",
        "|---|---|---|---|",
    ]
    for spec in WRITE_SPECS.values():
        if spec.create:
            told = (columns_of(spec), line_columns_of(spec), template_columns_of(spec))
            cells = (", ".join(f"`{column}`" for column in columns) for columns in told)
            lines.append(f"| `{spec.name}` | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def columns_of(spec: WriteSpec) -> list[str]:
    """The columns of a record's fields and of nested fields."""
    return list(dict.fromkeys(_columns(parser_of(spec))))


def line_columns_of(spec: WriteSpec) -> list[str]:
    """The columns of a line of a document; none for an object without lines."""
    form = parser_of(spec)
    lines = next((form.inner[name] for name in LISTS if name in form.inner), None)
    if lines is None:
        return []
    columns = (column if column.startswith("line_") else f"line_{column}" for column in _columns(lines))
    return [*columns, "line_tracking_<category>", "line_number"]


def template_columns_of(spec: WriteSpec) -> list[str]:
    """The columns of Xero's import templates that are not fields of that name."""
    form = parser_of(spec)
    lines = next((form.inner[name] for name in LISTS if name in form.inner), None)
    columns = list(TEMPLATES.get(spec.name, {}))
    if lines is not None:
        known = {"InventoryItemCode": "ItemCode", "Discount": "DiscountRate", "TaxRate": "TaxType"}
        columns += [column for column, name in known.items() if lines.takes(name)]
        columns += spec.line_aliases
        columns += ["TrackingName1", "TrackingOption1", "TrackingName2", "TrackingOption2"]
    return columns


def _columns(form: RecordParser) -> Iterator[str]:
    for name, word in form.wanted.items():
        column = snake_case(name)
        if word.kind != "one":
            yield column
        elif name in REFERENCES:
            own = "Account" if name.endswith("Account") else name
            yield from (f"{column}_{snake_case(inner.removeprefix(own))}" for inner in REFERENCES[name])
        else:
            yield from (f"{column}__{inner}" for inner in _columns(form.inner[name]))
