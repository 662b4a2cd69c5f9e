"""The fast path and the parser read a record alike."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tap_xero.records.naming import snake_case
from target_xero.content.json_text import encode_sorted
from target_xero.content.values import number
from target_xero.intake import fast_path
from target_xero.intake.fast_path import FastPath
from target_xero.intake.messages import MessageReader
from target_xero.intake.records import Job
from target_xero.target import TargetXero
from target_xero.write_specs.rows import WRITE_SPECS, parser_of
from xero_sandbox import Sandbox

from .conftest import Wiring, lines, record, schema, state
from .test_round_trip import Copy

GUID = "c08e45e0-d665-4f03-80cf-284f0cd77a48"
ODD: list[Any] = [
    None, "", " ", "text", "1.50", "1e2", " 7 ", "NaN", "-0.0", 0, -0.0, 1.5, 3.0, 100.0, 1e30, 1e40, 10**40, True,
    False, "true", "2026-12-20", "2026-12-20T00:00:00Z", "2026-02-30", "/Date(1793577600000+0000)/", GUID, GUID.upper(),
    f"{GUID}\n", "00000000-0000-0000-0000-000000000000", [], {}, [None], [{}], [{"Name": None}], "[]", "{}", ["a", "b"],
    {"Name": "Abel"}, {"name": "Abel"}, {"ContactID": GUID, "Unheard": 1}, [{"Description": "x", "Quantity": 2.50}],
    [{"UnitAmount": 1.10, "LineAmount": 2.20, "LineItemID": GUID}], [{"LineAmount": 5.00, "UnitAmount": None}],
    [{"UnitAmount": 1, "LineAmount": "x"}], [{"Quantity": 2, "UnitAmount": 50, "LineAmount": 90}],
    [{"Quantity": 2.0, "UnitAmount": 0.33333, "DiscountRate": 10.00, "LineAmount": 0.60}],
    [{"Quantity": 1e20, "UnitAmount": 1e20, "LineAmount": 1}], "DRAFT", "VOIDED", "paid", "ARCHIVED", "ACCPAY-TRANSFER",
]  # fmt: skip
INVOICE = {
    "id": 7,
    "Type": "ACCREC",
    "Status": "AUTHORISED",
    "InvoiceNumber": "INV-7",
    "Contact": {"ContactID": GUID, "Name": "Abel"},
    "Date": "2026-11-05",
    "CurrencyRate": 1.25,
    "Total": 12,
    "LineItems": [
        {"LineItemID": GUID, "Quantity": 3.0, "UnitAmount": 4.10, "LineAmount": 12.30, "Tracking": []}
    ],
}


class Looking:
    """What an intake made of its input, and how many records a shape could read."""

    def __init__(self, text: str, monkeypatch: pytest.MonkeyPatch, *, quick: bool) -> None:
        self.by_shape = 0

        def counted(take: Callable[..., Job | None]) -> Callable[..., Job | None]:
            def asked(fast_path: FastPath, given: Any) -> Job | None:
                taken = take(fast_path, given) if quick else None
                self.by_shape += taken is not None
                return taken

            return asked

        with monkeypatch.context() as patch:
            patch.setattr(FastPath, "take", counted(FastPath.take))
            patch.setattr(FastPath, "take_line", counted(FastPath.take_line))
            patch.setattr(fast_path, "_PATIENCE", 1 << 30)
            patch.setattr(TargetXero, "process_endofpipe", lambda _: None)
            target = TargetXero(config={"client_id": "unused", "on_unknown_stream": "ignore"})
            self.warned: list[Any] = []
            intake = target.intake
            intake._warn = lambda *words: self.warned.append(words)
            target.listen(io.StringIO(text))
        self.jobs = {
            name: [line.rstrip(b"\n") for line in file.lines()] for name, file in intake._files.items()
        }
        self.counts: list[Counter[Any]] = [intake.counts, intake.ends, intake.elsewhere, intake.states._open]
        self.rejects = intake.rejects
        self.records = [intake.records(job.raw) for row in WRITE_SPECS.values() for job in intake.jobs(row)]
        intake.close()


def same(text: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Compare both ways; returns the number of records that the fast path read."""
    quick = Looking(text, monkeypatch, quick=True)
    thorough = Looking(text, monkeypatch, quick=False)
    for name, jobs in thorough.jobs.items():
        assert [pair for pair in zip(quick.jobs[name], jobs, strict=True) if len(set(pair)) > 1][:1] == []
    assert quick.jobs.keys() == thorough.jobs.keys()
    assert quick.rejects == thorough.rejects
    assert quick.counts == thorough.counts
    assert quick.warned == thorough.warned
    assert quick.records == thorough.records
    return quick.by_shape


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with Sandbox(limits=False) as sandbox:
        copy = Copy(sandbox, tmp_path_factory.mktemp("demo"))
        yield copy.read(copy.source)


def test_both_ways_read_tap_xero_s_output_alike(demo: str, monkeypatch: pytest.MonkeyPatch):
    written = [
        line for line in demo.splitlines() if any(f'"stream":"{name}"' in line for name in WRITE_SPECS)
    ]
    assert same("\n".join(written), monkeypatch) > len(written) / 2


@pytest.mark.parametrize(
    "keys", [["id"], [], ["InvoiceNumber", "Type"], ["invoice_number"], ["CurrencyRate"]]
)
def test_both_ways_read_odd_values_and_keys_alike(keys: list[str], monkeypatch: pytest.MonkeyPatch):
    names = [
        *INVOICE,
        "tenant_id",
        "_sdc_deleted_at",
        "Reference",
        "DateString",
        "Item",
        "invoice_number",
        "Payments",
        "Unheard",
    ]
    messages = [record("invoices", **INVOICE)] * 3
    for name in names:
        for value in ODD:
            messages += [record("invoices", **{**INVOICE, name: value}), record("invoices", **INVOICE)]
    for name in INVOICE["LineItems"][0]:  # type: ignore[index]
        for value in ODD:
            line = {**INVOICE["LineItems"][0], name: value}  # type: ignore[index]
            messages += [
                record("invoices", **{**INVOICE, "LineItems": [line, line]}),
                record("invoices", **INVOICE),
            ]
    by_shape = same(lines(schema("invoices", *keys), *messages, state(1)), monkeypatch)
    assert (by_shape > len(messages) / 2) == (keys not in (["invoice_number"], ["CurrencyRate"]))


@pytest.mark.parametrize("name", [name for name, row in WRITE_SPECS.items()])
def test_both_ways_read_odd_values_of_every_object_alike(name: str, monkeypatch: pytest.MonkeyPatch):
    row = WRITE_SPECS[name]
    messages = []
    for field in row.fields:
        for value in ODD:
            messages += [
                record(name, id=1, **{field: value}),
                record(name, **{"id": 2, "Status": "DRAFT", field: value}),
            ]
    same(lines(schema(name, "id"), *messages), monkeypatch)
    same(lines(schema(name), *messages), monkeypatch)


DIGITS = st.text("0123456789", min_size=1, max_size=18)


@given(
    st.sampled_from(["", "-"]),
    st.integers(0, 10**16),
    st.one_of(
        st.just(""), DIGITS, st.builds(lambda digits, zeros: digits + "0" * zeros, DIGITS, st.integers(0, 18))
    ),
    st.one_of(st.just(""), st.integers(-20, 20).map("e{}".format)),
)
@example("", 0, "12345678900012000", "")
@example("", 0, "0000000000005000", "")
@example("-", 0, "00", "")
@example("", 3, "", "e2")
@example("", 123456789, "500000000", "")
def test_both_ways_read_a_number_alike(sign: str, whole: int, decimals: str, exponent: str):
    text = f"{sign}{whole}{'.' if decimals else ''}{decimals}{exponent}"
    spec = WRITE_SPECS["invoices"]
    job = FastPath(spec, parser_of(spec), spec.name, ["id"]).take(
        msgspec.Raw(f'{{"id":1,"CurrencyRate":{text}}}'.encode())
    )
    few = len(f"{whole}".lstrip("0") + decimals.rstrip("0")) <= 11
    assert job or not few or exponent
    if job:
        exact = number(Decimal(text) if decimals or exponent else int(text))
        assert bytes(job.sent) == encode_sorted({"CurrencyRate": exact})  # type: ignore[call-overload]


def in_small_letters(value: Any) -> Any:
    if isinstance(value, dict):
        return {snake_case(name): in_small_letters(one) for name, one in value.items()}
    return [in_small_letters(one) for one in value] if isinstance(value, list) else value


def test_the_fast_path_reads_names_other_than_xero_s(monkeypatch: pytest.MonkeyPatch):
    tracked = {**INVOICE["LineItems"][0], "Tracking": [{"Name": "Region", "Option": "North"}]}  # type: ignore[index]
    invoice = in_small_letters({**INVOICE, "LineItems": [tracked, *INVOICE["LineItems"]]})  # type: ignore[misc]
    plain = [record("invoices", **{**invoice, "id": n}) for n in range(20)]
    assert same(lines(schema("invoices", "id"), *plain, state(1)), monkeypatch) >= len(plain) - 2
    odd = []
    for name in invoice:
        odd += [record("invoices", **{**invoice, name: value}) for value in ODD] + plain[:2]
    for name in tracked:
        for value in ODD:
            line = in_small_letters({**tracked, name: value})
            odd += [record("invoices", **{**invoice, "line_items": [line]}), *plain[:1]]
    # The same field under two names, and Xero's names after others.
    odd += [record("invoices", **invoice, Reference="R"), record("invoices", **INVOICE), *plain]
    assert same(lines(schema("invoices", "id"), *plain, *odd, state(1)), monkeypatch) > len(odd) / 3


def test_a_late_unknown_field_is_logged_once(wiring: Wiring):
    people = [record("contacts", id=n, Name=f"Person {n}") for n in range(60)]
    late = [record("contacts", id=n, Name=f"Person {n}", Shoe=44) for n in range(60, 63)]
    run = wiring.write(schema("contacts", "id"), *people, *late, *people, dry_run=True)
    assert [m for m in run.messages if "Shoe" in m] == [
        "contacts: Shoe ignored (no field of Xero's contacts)."
    ]


@pytest.mark.parametrize("text", ["5", "null", "[1]", '"x"', '{"Name": 1.2.3}', '{"Name": "Abel"'])
def test_a_record_that_is_no_object_ends_the_run_and_its_line_is_named(wiring: Wiring, text: str):
    first = lines(schema("contacts", "id"), record("contacts", id=1, Name="Abel"))
    run = wiring.write(first, '{"type": "RECORD", "stream": "contacts", "record": ' + text + "}\n")
    assert str(run.error).startswith("Line 3 of the input ")
    assert wiring.records("Contacts") == []


def test_an_input_is_read_to_its_end_and_stays_open(tmp_path: Path):
    """Also if its first bytes were read before, and for lines longer than what is read at a time."""
    contacts = [record("contacts", id=n, Name="x" * n) for n in (1, 100, 70_000, 200_000, 5)]
    path = tmp_path / "input"
    path.write_text(lines(*contacts))
    seen: list[Any] = []
    with path.open() as text:
        text.buffer.peek()
        MessageReader().process_lines(text, {"RECORD": seen.append})
        assert not text.closed
    assert seen == contacts
