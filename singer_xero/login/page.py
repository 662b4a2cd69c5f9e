"""The page that the browser shows at the end of a login."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from importlib.resources import files
from string import Template

SCRIPTLESS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Connection": "close",
}
"""The headers of the page: it may load nothing, and no cache keeps it."""


@dataclass(frozen=True)
class Page:
    """A page for the user's browser; all its values are plain text. `facts` are (name, detail)."""

    title: str
    text: str
    facts: tuple[tuple[str, str], ...] = ()
    good: bool = False
    status: int = 400

    def html(self) -> bytes:
        """The whole page, without external resources."""
        rows = "".join(
            f"<li><strong>{html.escape(name)}</strong><code>{html.escape(detail)}</code></li>"
            for name, detail in self.facts
        )
        template = Template(files("singer_xero.login").joinpath("page.html").read_text(encoding="utf-8"))
        return template.substitute(
            title=html.escape(self.title),
            text=re.sub(r"`(.*?)`", r"<code>\1</code>", html.escape(self.text)),
            facts=f"<ul>{rows}</ul>" if rows else "",
            tone="good" if self.good else "bad",
            mark="M7 12.5l3.4 3.4L17.2 9" if self.good else "M12 7v6.2M12 16.6v.1",
        ).encode()
