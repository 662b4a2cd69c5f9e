"""The tables of what can be written, for the documentation."""

from __future__ import annotations

from target_xero.write_specs.not_written import NOT_COPIED, NOT_WRITTEN
from target_xero.write_specs.rows import WRITE_SPECS
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
    """What is left out and why, as a Markdown list."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in NOT_WRITTEN.items():
        by_reason.setdefault(reason, []).append(f"`{name}`")
    return "\n".join(f"* {', '.join(names)}: {reason}." for reason, names in by_reason.items())


def not_copied() -> str:
    """What the copy of an organisation lacks and why, as a Markdown list."""
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
