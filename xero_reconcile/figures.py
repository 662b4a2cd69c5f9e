"""The figures of dbt's model `reconciliation`, and what they amount to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from singer_xero.errors import ConfigurationProblem
from xero_reconcile.warehouse import Warehouse

#: The reports, in the order in which accountants read them.
CHECKS = (
    "Profit and loss",
    "Balance sheet",
    "Trial balance",
    "Bank summary",
    "Aged receivables",
    "Aged payables",
    "Records",
)


@dataclass(frozen=True)
class Figure:
    """One figure in the warehouse beside Xero's.

    `reason` says why only Xero can know the difference; a difference without one is wrong. `unit` is a currency, or
    empty for a number of records.
    """

    organisation: str
    tenant_id: str
    check: str
    subject: str
    subject_id: str
    period: date | None
    warehouse: Decimal
    xero: Decimal
    reason: str | None = None
    unit: str = ""

    @property
    def agrees(self) -> bool:
        """Whether both are equal to the cent."""
        return self.warehouse == self.xero

    @property
    def difference(self) -> Decimal:
        """The warehouse's figure minus Xero's."""
        return self.warehouse - self.xero


@dataclass
class Check:
    """The figures of one of Xero's reports, or the numbers of records."""

    name: str
    figures: list[Figure] = field(default_factory=list)

    @property
    def agreeing(self) -> int:
        """The number of figures that are equal to the cent."""
        return sum(1 for figure in self.figures if figure.agrees)

    @property
    def explained(self) -> list[Figure]:
        """The figures that differ for a reason that only Xero knows."""
        return [figure for figure in self.figures if not figure.agrees and figure.reason]

    @property
    def wrong(self) -> list[Figure]:
        """The figures that differ without such a reason."""
        return [figure for figure in self.figures if not figure.agrees and not figure.reason]


@dataclass
class Organisation:
    """The comparison of one organisation."""

    name: str
    tenant_id: str
    ledger_from: str
    currency: str
    checks: list[Check] = field(default_factory=list)
    not_checked: list[str] = field(default_factory=list)

    @property
    def figures(self) -> list[Figure]:
        """All figures."""
        return [figure for check in self.checks for figure in check.figures]


@dataclass(frozen=True)
class Run:
    """Figures of one subject that differ for the same reason, in several periods or reports."""

    checks: tuple[str, ...]
    subject: str
    reason: str | None
    unit: str
    first: Figure
    last: Figure
    count: int


def organisations(warehouse: Warehouse) -> list[Organisation]:
    """Every organisation with its checks, from dbt's models.

    Raises:
        ConfigurationProblem: the models are not there.
    """
    made = warehouse.columns(warehouse.models)
    if not {"reconciliation", "organisations"} <= made.keys():
        raise ConfigurationProblem(
            f"There are no models in the schema {warehouse.models}: run `dbt build` first, or name their schema with "
            "--schema."
        )
    found = {
        row["tenant_id"]: Organisation(
            row["organisation_name"], row["tenant_id"], row["ledger_from"], row["base_currency"]
        )
        for row in warehouse.ask(
            "SELECT tenant_id, organisation_name, ledger_from, base_currency FROM {models}.organisations"
            " ORDER BY organisation_name"
        )
    }
    for row in warehouse.ask(
        "SELECT tenant_id, check_name, subject, subject_id, period, warehouse_amount, xero_amount, reason"
        " FROM {models}.reconciliation ORDER BY check_name, subject, subject_id, period"
    ):
        organisation = found[row["tenant_id"]]
        figure = Figure(
            organisation.name,
            organisation.tenant_id,
            row["check_name"],
            row["subject"] or "",
            row["subject_id"],
            row["period"],
            Decimal(row["warehouse_amount"]),
            Decimal(row["xero_amount"]),
            row["reason"],
            organisation.currency,
        )
        check_of(organisation, row["check_name"]).figures.append(figure)
    for organisation in found.values():
        there = {check.name for check in organisation.checks}
        organisation.not_checked += [
            f"{name}: the report was not loaded" for name in CHECKS[:-1] if name not in there
        ]
        organisation.checks.sort(key=lambda check: CHECKS.index(check.name))
    return list(found.values())


def check_of(organisation: Organisation, name: str) -> Check:
    """The check of that name, which is created if necessary."""
    for check in organisation.checks:
        if check.name == name:
            return check
    organisation.checks.append(Check(name))
    return organisation.checks[-1]


def runs(figures: Iterable[Figure]) -> list[Run]:
    """Group the figures that differ for the same reason, by subject."""
    found: dict[tuple[str, str, str, str | None], list[Figure]] = {}
    for figure in figures:
        found.setdefault((figure.check, figure.subject, figure.subject_id, figure.reason), []).append(figure)
    together: dict[tuple[object, ...], Run] = {}
    for (check, subject, subject_id, reason), group in found.items():
        first, last = group[0], group[-1]
        key = (subject_id, reason, first.period, last.period, abs(last.difference))
        known = together.get(key)
        checks = (*known.checks, check) if known else (check,)
        shown = known or Run(checks, subject, reason, first.unit, first, last, len(group))
        together[key] = replace(shown, checks=checks)
    return list(together.values())


def account_months(organisation: Organisation) -> tuple[int, int]:
    """The number of monthly movements of accounts in profit and loss and balance sheet, and how many agree.

    A balance that differs by as much as the month before has moved as Xero's did.
    """
    total = agreeing = 0
    for check in organisation.checks:
        if check.name not in {"Profit and loss", "Balance sheet"}:
            continue
        before: dict[str, Decimal] = {}
        for figure in check.figures:
            carried = before.get(figure.subject_id, Decimal()) if check.name == "Balance sheet" else Decimal()
            total += 1
            agreeing += figure.difference == carried
            before[figure.subject_id] = figure.difference
    return total, agreeing


def unexplained(every: Sequence[Organisation]) -> list[Figure]:
    """The number of wrong figures of all organisations."""
    return [figure for one in every for check in one.checks for figure in check.wrong]
