"""History notes, attachments and mail."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest


def attach(
    company: Any,
    invoice: dict[str, Any],
    name: str,
    data: bytes = b"%PDF-1.4",
    method: str = "PUT",
    **params: Any,
) -> Any:
    path = f"Invoices/{invoice['InvoiceID']}/Attachments/{name}"
    return company.send(method, path, data=data, headers={"Content-Type": "application/pdf"}, **params)


def test_a_note_is_added_without_a_user_and_a_repeated_call_adds_a_second_one(company):
    invoice = company.invoice()
    path = f"Invoices/{invoice['InvoiceID']}/History"
    for _ in range(2):
        answer = company.send("PUT", path, {"HistoryRecords": [{"Details": "Called"}]})
        (note,) = answer.json()["HistoryRecords"]
        assert (note["Details"], note["ValidationErrors"]) == ("Called", [])
        assert "User" not in note
        assert "+" not in note["DateUTC"]
    found = company.caller.get(path)["HistoryRecords"]
    assert [one["Details"] for one in found][:2] == ["Called", "Called"]
    assert "+0000" in found[0]["DateUTC"]
    assert found[0]["User"]


def test_with_an_idempotency_key_a_repeated_note_is_added_once(company):
    invoice = company.invoice()
    path, body = f"Invoices/{invoice['InvoiceID']}/History", {"HistoryRecords": [{"Details": "Called"}]}
    for _ in range(2):
        assert company.send("PUT", path, body, headers={"Idempotency-Key": "note"}).status_code == 200
    assert [one["Details"] for one in company.caller.get(path)["HistoryRecords"]].count("Called") == 1


def test_a_note_that_is_too_long_or_empty_or_for_an_unknown_record_is_refused(company):
    invoice = company.invoice()
    path = f"Invoices/{invoice['InvoiceID']}/History"
    for details in ("x" * 2_501, ""):
        assert company.send("PUT", path, {"HistoryRecords": [{"Details": details}]}).status_code == 400
    assert company.send("PUT", path, {"HistoryRecords": [{"Details": "x" * 2_500}]}).status_code == 200
    body = {"HistoryRecords": [{"Details": "x"}]}
    assert company.send("PUT", f"Invoices/{uuid4()}/History", body).status_code == 404
    refused = company.send("PUT", f"Payments/{uuid4()}/History", body)
    assert refused.json()["Elements"][0]["ValidationErrors"] == [
        {"Message": "The document with the supplied id was not found for this endpoint."}
    ]


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_a_file_is_attached_and_read_back_and_its_name_is_unique(company, method):
    invoice = company.invoice()
    (made,) = attach(company, invoice, "job 7.pdf", method=method, IncludeOnline="true").json()["Attachments"]
    assert (made["FileName"], made["MimeType"], made["ContentLength"]) == ("job 7.pdf", "application/pdf", 8)
    assert made["IncludeOnline"] is True
    now = company.get("Invoices", invoice["InvoiceID"])
    assert now["HasAttachments"] is True
    assert now["UpdatedDateUTC"] == invoice["UpdatedDateUTC"]
    again = attach(company, invoice, "job 7.pdf", b"other", method).json()["Attachments"][0]
    assert again["AttachmentID"] == made["AttachmentID"]
    path = f"Invoices/{invoice['InvoiceID']}/Attachments"
    assert len(company.caller.get(path)["Attachments"]) == 1
    assert company.send("GET", f"{path}/{made['AttachmentID']}").content == b"other"


def test_a_document_accepts_ten_files_with_valid_names_and_sizes(company):
    invoice = company.invoice()
    for number in range(10):
        assert attach(company, invoice, f"{number}.pdf").status_code == 200
    assert attach(company, invoice, "11.pdf").status_code == 400
    assert attach(company, invoice, "9.pdf").status_code == 200
    other = company.invoice()
    assert attach(company, other, "a%2Bb.pdf").status_code == 400
    assert attach(company, other, "a.pdf%20").status_code == 500
    assert attach(company, other, "a.pdf", b"").status_code == 400
    assert attach(company, other, "a.pdf", b"x" * 10_000_001).status_code == 413
    assert attach(company, {"InvoiceID": str(uuid4())}, "a.pdf").status_code == 404
    assert company.get("Invoices", other["InvoiceID"])["HasAttachments"] is False


def test_emailing_an_approved_sales_invoice_marks_it_as_sent(company):
    company.put("Contacts", {"Name": "Ada", "EmailAddress": "ada@b.nz"})
    invoice, draft = company.invoice(), company.invoice(Status="DRAFT")
    response = company.send("POST", f"Invoices/{invoice['InvoiceID']}/Email")
    assert (response.status_code, response.content) == (204, b"")
    assert company.get("Invoices", invoice["InvoiceID"])["SentToContact"] is True
    assert company.send("POST", f"Invoices/{draft['InvoiceID']}/Email").status_code == 400
