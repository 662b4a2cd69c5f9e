"""A minimal run: contacts, an invoice and a journal, end to end."""

from .conftest import Wiring, record, schema, state

LINES = [{"description": "Work", "quantity": 1, "unit_amount": "12.3456", "account_code": "200"}]
JOURNAL = '[{"LineAmount": 10, "AccountCode": "477"}, {"LineAmount": -10, "AccountCode": "825"}]'


def test_records_are_written_in_the_order_that_xero_needs(wiring: Wiring):
    run = wiring.write(
        schema("Invoices", "id"),
        record("Invoices", id=1, type="ACCREC", contact_name="Abel", due_date="2026-12-01", line_items=LINES),
        schema("contacts", "id"),
        record("contacts", id=1, name="Abel", email_address="abel@example.com"),
        schema("manual_journals", "id"),
        record("manual_journals", id=1, narration="Pay", journal_lines=JOURNAL, status="POSTED"),
        state({"done": True}),
    )
    assert run.error is None
    assert [c["path"].rpartition("/")[2] for c in wiring.writes()] == [
        "Contacts",
        "Invoices",
        "ManualJournals",
    ]
    assert run.states == [{"done": True}]
    assert {name: run.count(name) for name in run.counts} == {
        name: {"created": 1} for name in ("contacts", "invoices", "manual_journals")
    }
    assert wiring.records("Invoices")[0]["LineItems"][0]["UnitAmount"] == 12.3456


def test_unchanged_records_are_not_sent_and_changed_ones_are_updates(wiring: Wiring):
    contacts = [
        schema("contacts", "id"),
        record("contacts", id=1, name="Abel"),
        record("contacts", id=2, name="Bert"),
    ]
    wiring.write(contacts)
    wiring.xero.admin.forget_calls()
    run = wiring.write(contacts[:2], record("contacts", id=2, name="Bertram"))
    assert run.count("contacts") == {"updated": 1, "unchanged": 1}
    assert len(wiring.writes()) == 1
    assert sorted(c["Name"] for c in wiring.records("Contacts")) == ["Abel", "Bertram"]
    wiring.xero.admin.forget_calls()
    assert wiring.write(contacts[:2]).count("contacts") == {"unchanged": 1}
    assert wiring.writes() == []
