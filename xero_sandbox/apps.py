"""The apps that every sandbox has, and Xero's scopes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

CUSTOM, WEB, PKCE = "custom_connection", "web", "pkce"

_FAMILIES = (
    "accounting.invoices accounting.payments accounting.banktransactions accounting.manualjournals"
    " accounting.settings accounting.contacts accounting.attachments"
).split()
_REPORTS = (
    "profitandloss balancesheet trialbalance banksummary budgetsummary executivesummary aged taxreports"
    " tenninetynine"
).split()

BROAD = frozenset({"accounting.transactions", "accounting.transactions.read", "accounting.reports.read"})
"""The broad scopes; apps created since March 2026 get granular scopes only (Xero's scope guide)."""

RETIRING = frozenset({"accounting.classicexpenses", "accounting.classicexpenses.read"})
"""Classic expenses: new connections cannot get these scopes."""

GRANULAR = (
    frozenset(_FAMILIES)
    | {f"{family}.read" for family in _FAMILIES}
    | {f"accounting.reports.{report}.read" for report in _REPORTS}
    | {"accounting.budgets.read", "accounting.journals.read", "paymentservices", "assets", "assets.read"}
)
IDENTITY = frozenset({"openid", "profile", "email", "offline_access"})
EVERY = GRANULAR | BROAD | RETIRING | IDENTITY


@dataclass(frozen=True)
class App:
    """An app as registered in Xero's developer portal.

    ``kind`` is ``custom_connection`` (client_credentials, one organisation), ``web`` (a secret) or ``pkce``
    (none). ``scopes`` are those selected for it; None means all that its kind and age allow. ``granular_only``
    marks an app created since March 2026. ``tier`` is the price tier: ``starter`` has a daily limit of 1,000
    calls, and only ``advanced`` may read Journals. ``tenant_id`` is the only organisation of a custom connection,
    by default the first one of the sandbox.
    """

    client_id: str
    client_secret: str | None
    kind: str
    name: str
    scopes: frozenset[str] | None = None
    granular_only: bool = False
    tier: str = "advanced"
    redirect_uris: tuple[str, ...] = ("http://localhost",)
    tenant_id: str | None = None

    def settings(self, url: str) -> dict[str, str | None]:
        """The settings of tap and target for this app and a sandbox at this address."""
        return {
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "api_url": url,
            "identity_url": url,
        }

    def described(self) -> dict[str, Any]:
        """The app as JSON values."""
        return {**asdict(self), "scopes": None if self.scopes is None else sorted(self.scopes)}

    @property
    def reads_journals(self) -> bool:
        """Whether this app may read Journals, which depends on its tier since March 2026."""
        return self.tier == "advanced"

    def allowed(self) -> frozenset[str]:
        """The scopes that this app may request."""
        scopes = EVERY if self.scopes is None else self.scopes
        if self.granular_only:
            scopes -= BROAD | RETIRING
        if not self.reads_journals:
            scopes -= {"accounting.journals.read"}
        return scopes


CUSTOM_CONNECTION = App(
    "0C5A1D9E2F7B4D06A8E3C417B96F20D1",
    "cuSt0m-c0nnect10n-s3cret-of-the-sandbox-0123456",
    CUSTOM,
    "Sandbox custom connection",
)
WEB_APP = App(
    "3E1B7C60D25F4A9887AF016DCE943B52",
    "w3b-app-s3cret-of-the-sandbox-0123456789abcdefg",
    WEB,
    "Sandbox web app",
)
PKCE_APP = App("7A90F4E3B8C14D5D92610BFE57CA68D3", None, PKCE, "Sandbox PKCE app")

KNOWN = (CUSTOM_CONNECTION, WEB_APP, PKCE_APP)
