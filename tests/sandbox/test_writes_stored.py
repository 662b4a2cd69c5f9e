"""Writes are stored: over restarts and kill -9, and only as whole requests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
import requests
from company import Company, books_agree

from xero_sandbox import AdminClient, Sandbox, cli
from xero_sandbox.rules import work as sandbox_writing

BATCH = 20
SECRET = "the-secret-of-these-tests"


def batch(number: int) -> dict[str, Any]:
    """Bills without numbers, which only an idempotency key protects from being created twice."""
    line = {"Description": f"Batch {number}", "Quantity": 1, "UnitAmount": 10, "AccountCode": "400"}
    bill = {"Type": "ACCPAY", "Status": "AUTHORISED", "DueDate": "2026-12-01", "LineItems": [line]}
    return {"Invoices": [{**bill, "Contact": {"Name": f"S{number}-{one}"}} for one in range(BATCH)]}


@contextmanager
def serving(folder: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A sandbox process, and the settings for it."""
    command = [
        sys.executable,
        "-m",
        "xero_sandbox.cli",
        "--company",
        "empty",
        "--no-limits",
        "--print-config",
    ]
    environment = {**os.environ, cli.ADMIN_SECRET: SECRET}
    with subprocess.Popen(
        [*command, "--data", str(folder)], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        text = ""
        while not text.endswith("}\n"):
            text += process.stdout.readline()
        try:
            yield process, json.loads(text)
        finally:
            process.kill()


def session(settings: dict[str, Any]) -> requests.Session:
    form = {"grant_type": "client_credentials"}
    proof = (settings["client_id"], settings["client_secret"])
    answer = requests.post(f"{settings['api_url']}/connect/token", data=form, auth=proof, timeout=30)
    made = requests.Session()
    made.headers.update(
        {"Authorization": f"Bearer {answer.json()['access_token']}", "Accept": "application/json"}
    )
    return made


def put(caller: requests.Session, settings: dict[str, Any], number: int) -> requests.Response:
    address = f"{settings['api_url']}/api.xro/2.0/Invoices"
    return caller.put(address, json=batch(number), headers={"Idempotency-Key": f"batch-{number}"}, timeout=30)


@pytest.mark.parametrize("answered", [1, 3])
def test_a_killed_sandbox_stores_whole_requests_and_repeats_with_the_same_keys_write_nothing_twice(
    tmp_path, answered
):
    with serving(tmp_path) as (process, settings):
        caller, enough, done = session(settings), Event(), []

        def work() -> None:
            try:
                for number in range(50):
                    done.append(put(caller, settings, number).status_code)
                    if len(done) == answered:
                        enough.set()
            except requests.RequestException:
                pass

        worker = Thread(target=work)
        worker.start()
        enough.wait()
        process.kill()
        worker.join()
        caller.close()
        assert set(done) == {200}
    with serving(tmp_path) as (_, settings):
        admin = AdminClient(f"{settings['api_url']}/sandbox/{SECRET}")
        kept = admin.records("Invoices")
        assert len(kept) % BATCH == 0
        assert len(done) <= len(kept) // BATCH <= len(done) + 1
        books_agree(admin)
        with session(settings) as caller:
            for number in range(len(done) + 2):
                assert put(caller, settings, number).status_code == 200
        assert len(admin.records("Invoices")) == (len(done) + 2) * BATCH
        assert len(admin.records("Contacts")) == (len(done) + 2) * BATCH
        books_agree(admin)


def test_a_restart_restores_records_notes_files_creators_and_keys(tmp_path, callers):
    with Sandbox(data=tmp_path, company="empty", limits=False) as first:
        company = Company(callers(first), first.admin)
        company.bank()
        invoice = company.invoice(100)
        company.pay(invoice, 40)
        path = f"Invoices/{invoice['InvoiceID']}"
        company.send("PUT", f"{path}/History", {"HistoryRecords": [{"Details": "Called"}]})
        company.send("PUT", f"{path}/Attachments/a.txt", data=b"text")
        answer = company.send("PUT", "Contacts", {"Name": "Grace"}, headers={"Idempotency-Key": "one"})
    with Sandbox(data=tmp_path, company="empty", limits=False) as second:
        company = Company(callers(second), second.admin)
        now = company.get("Invoices", invoice["InvoiceID"])
        assert (now["AmountDue"], now["HasAttachments"]) == (60.0, True)
        assert company.caller.get(f"{path}/History")["HistoryRecords"][0]["Details"] == "Called"
        assert company.send("GET", f"{path}/Attachments/a.txt").content == b"text"
        assert company.caller.ids("Invoices", "InvoiceID", createdByMyApp="true") == [invoice["InvoiceID"]]
        again = company.send("PUT", "Contacts", {"Name": "Grace"}, headers={"Idempotency-Key": "one"})
        assert again.content == answer.content
        assert company.invoice()["InvoiceNumber"] == "INV-0002"
        books_agree(second.admin)


def test_a_failure_in_the_middle_of_a_batch_leaves_memory_and_file_equal(
    tmp_path, callers, monkeypatch, capsys
):
    with Sandbox(data=tmp_path, company="empty", limits=False) as first:
        company = Company(callers(first), first.admin)
        commit, seen = sandbox_writing.Work.commit, []

        def third_time_unlucky(work: Any) -> None:
            seen.append(work)
            if len(seen) == 3:
                raise RuntimeError("a fault of the sandbox itself")
            commit(work)

        monkeypatch.setattr(sandbox_writing.Work, "commit", third_time_unlucky)
        people = {"Contacts": [{"Name": name} for name in ("Ada", "Grace", "Mary")]}
        response = company.send("PUT", "Contacts", people, headers={"Idempotency-Key": "one"})
        assert response.status_code == 500
        monkeypatch.undo()
        before = sorted(one["Name"] for one in company.admin.records("Contacts"))
        assert before == ["Ada", "Grace"]
        assert "RuntimeError" in capsys.readouterr().err
    with Sandbox(data=tmp_path, company="empty", limits=False) as second:
        assert sorted(one["Name"] for one in second.admin.records("Contacts")) == before


def test_ten_thousand_contacts_in_batches_of_fifty_are_all_written_once(xero, callers):
    xero.admin.limits(enabled=False)
    company = Company(callers(xero), xero.admin)
    for number in range(200):
        people = [
            {"Name": f"Contact {number}-{one}", "ContactNumber": f"{number}-{one}"} for one in range(50)
        ]
        done = company.each("POST", "Contacts", *people)
        assert [one["ContactNumber"] for one in done] == [one["ContactNumber"] for one in people]
        assert {one["StatusAttributeString"] for one in done} == {"OK"}
    again = company.each("POST", "Contacts", *people)
    assert [one["UpdatedDateUTC"] for one in again] == [one["UpdatedDateUTC"] for one in done]
    assert company.count("Contacts") == 10_000
