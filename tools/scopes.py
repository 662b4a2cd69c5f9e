"""Makes the table of scopes from the registry: their streams, and whether xero-login requests them."""

from __future__ import annotations

from singer_xero.api.scope_advice import RESERVED
from singer_xero.scopes import OFFLINE, ROWS, broad_scopes, read_scopes, write_scopes


def scopes() -> str:
    """One row for each read scope: its streams, the scope to write them, and the older broad scope."""
    opened: dict[str, list[str]] = {}
    others: dict[str, tuple[str, ...]] = {}
    for row in ROWS:
        opened.setdefault(row.scopes.read, []).append(f"`{row.name}`")
        others.setdefault(row.scopes.read, row.scopes.opening[1:])
    broad = set(broad_scopes(write=True)) - set(write_scopes())
    lines = [
        "| scope | requested by default | to write | until September 2027 also | streams |",
        "| --- | --- | --- | --- | --- |",
        f"| `{OFFLINE}` | always | | | none; without it a connection ends after 30 minutes |",
    ]
    for scope in sorted(opened, key=lambda scope: (scope in RESERVED, scope)):
        write = scope.removesuffix(".read")
        asked = "yes" if scope in read_scopes() else f"no: {RESERVED[scope]}"
        old = [one for one in others[scope] if one in broad and one.endswith(".read")]
        cells = [
            f"`{scope}`",
            asked,
            f"`{write}`" if write in write_scopes() and write != scope else "",
            ", ".join(f"`{one}`" for one in old),
            ", ".join(opened[scope]),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
