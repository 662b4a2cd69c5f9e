"""Subresources, which take a call for each record: history, attachments, links, single reads."""

from __future__ import annotations

import json
import os
import shutil
import stat
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import pytest
import requests

from singer_xero.errors import ConfigurationProblem
from singer_xero.objects import SUBRESOURCES
from tap_xero.tap import TapXero
from xero_sandbox import AdminClient, Sandbox

from .runs import Run, read

Record = dict[str, Any]


@pytest.fixture
def admin(running_sandbox: Sandbox) -> AdminClient:
    return running_sandbox.admin


class Api:
    """A plain HTTP client of the sandbox."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.url = config["api_url"]
        answer = requests.post(
            f"{self.url}/connect/token",
            data={"grant_type": "client_credentials"},
            auth=(config["client_id"], config["client_secret"]),
            timeout=30,
        )
        self.headers = {
            "Authorization": f"Bearer {answer.json()['access_token']}",
            "Accept": "application/json",
        }

    def ask(self, verb: str, path: str, body: Any = None, **headers: str) -> Any:
        data = body if isinstance(body, bytes) or body is None else json.dumps(body)
        if data is not None and not isinstance(body, bytes):
            headers.setdefault("Content-Type", "application/json")
        answer = requests.request(
            verb, f"{self.url}/api.xro/2.0/{path}", headers={**self.headers, **headers}, data=data, timeout=30
        )
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def api(demo: dict[str, Any]) -> Api:
    return Api(demo)


def of(record: Record, records: list[Record], key: str) -> list[Record]:
    return [one for one in records if one[key] == record[key]]


def catalog(config: dict[str, Any], *streams: str) -> dict[str, Any]:
    """A catalog with these streams, incremental."""
    tap = TapXero(config=config)
    entries = [entry for entry in tap.catalog_dict["streams"] if entry["tap_stream_id"] in streams]
    for entry in entries:
        root = next(one["metadata"] for one in entry["metadata"] if not one["breadcrumb"])
        root |= {"selected": True, "replication-method": "INCREMENTAL"}
    return {"streams": entries}


# -- history


def test_the_history_of_a_record_is_numbered_from_the_oldest_note_on(
    demo: dict[str, Any], api: Api, admin: AdminClient
) -> None:
    (contact,) = read(demo, "contacts").records["contacts"][:1]
    for words in ("First note", "Second note"):
        admin.advance(1)
        api.ask("PUT", f"Contacts/{contact['ContactID']}/History", {"HistoryRecords": [{"Details": words}]})
    first = read(demo, "contact_history").records["contact_history"]
    own = of(contact, first, "ContactID")
    assert [one["Number"] for one in own] == list(range(1, len(own) + 1))
    assert [one["Details"] for one in own][-2:] == ["First note", "Second note"]
    assert [one["DateUTC"] for one in own] == sorted(one["DateUTC"] for one in own)
    api.ask(
        "PUT", f"Contacts/{contact['ContactID']}/History", {"HistoryRecords": [{"Details": "Third note"}]}
    )
    second = read(demo, "contact_history").records["contact_history"]
    assert of(contact, second, "ContactID")[: len(own)] == own, "a new note leaves the numbers as they are"
    assert len(second) == len(first) + 1
    assert {one["UpdatedDateUTC"] for one in own} == {contact["UpdatedDateUTC"]}


def test_notes_sorted_newest_first_get_the_same_numbers(
    demo: dict[str, Any], api: Api, admin: AdminClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Xero does not document the order of this list."""
    (contact,) = read(demo, "contacts").records["contacts"][:1]
    for words in ("One", "Two", "Three"):
        admin.advance(1)
        api.ask("PUT", f"Contacts/{contact['ContactID']}/History", {"HistoryRecords": [{"Details": words}]})
    before = of(contact, read(demo, "contact_history").records["contact_history"], "ContactID")
    listed = api.ask("GET", f"Contacts/{contact['ContactID']}/History")
    listed["HistoryRecords"].reverse()
    admin.fault(
        "status", path=f"*Contacts/{contact['ContactID']}/History", status=200, body=json.dumps(listed),
        content_type="application/json", count=1,
    )  # fmt: skip
    after = of(contact, read(demo, "contact_history").records["contact_history"], "ContactID")
    assert after == before


def test_every_object_with_history_has_a_working_stream(demo: dict[str, Any]) -> None:
    names = [name for name, row in SUBRESOURCES.items() if name.endswith("_history")]
    few = [
        name
        for name in names
        if SUBRESOURCES[name].of.name not in {"invoices", "payments", "bank_transactions"}
    ]
    run = read(demo, *few)
    assert run.failed == {}
    assert len(names) == 16
    for name in few:
        keys = [tuple(one[key] for key in SUBRESOURCES[name].key) for one in run.records[name]]
        assert keys and len(set(keys)) == len(keys), name


# -- attachments


def test_files_are_requested_only_of_records_that_have_some(demo: dict[str, Any], admin: AdminClient) -> None:
    admin.forget_calls()
    run = read(demo, "invoice_attachments", "invoices")
    with_files = {one["InvoiceID"] for one in run.records["invoices"] if one["HasAttachments"]}
    asked = {call["path"].split("/")[4] for call in admin.calls("/Attachments")}
    assert asked == with_files
    assert {one["InvoiceID"] for one in run.records["invoice_attachments"]} == with_files
    assert {one["Path"] for one in run.records["invoice_attachments"] if "Path" in one} == set()
    assert len(admin.calls("/Attachments")) == len(with_files) > 10


@pytest.mark.parametrize("name", [name for name, row in SUBRESOURCES.items() if row.files])
def test_every_object_with_files_has_a_stream_that_fetches_them(
    demo: dict[str, Any], api: Api, tmp_path: Path, name: str
) -> None:
    of_what = SUBRESOURCES[name].of
    (key,) = of_what.key
    one = next(
        record
        for record in read(demo, of_what.name).records[of_what.name]
        if record.get("Status", "ACTIVE") not in {"ARCHIVED", "DELETED", "VOIDED"}
    )[key]
    content = f"of {name}".encode()
    api.ask("PUT", f"{of_what.path}/{one}/Attachments/a note.txt", content, **{"Content-Type": "text/plain"})
    run = read({**demo, "attachments_path": str(tmp_path / "files")}, name)
    assert run.failed == {}
    (found,) = [r for r in run.records[name] if (r[key], r["FileName"]) == (one, "a note.txt")]
    assert Path(unquote(urlparse(found["Path"]).path)).read_bytes() == content
    assert (found["ContentLength"], found["MimeType"]) == (len(content), "text/plain")


def test_files_are_put_into_a_folder_and_fetched_once(
    demo: dict[str, Any], admin: AdminClient, tmp_path: Path
) -> None:
    config = {**demo, "attachments_path": str(tmp_path / "files")}
    run = read(config, "invoice_attachments", "contact_attachments")
    records = run.records["invoice_attachments"] + run.records["contact_attachments"]
    for record in records:
        place = Path(urlparse(record["Path"]).path)
        assert place.stat().st_size == record["ContentLength"]
        assert place.is_relative_to(tmp_path / "files" / record["tenant_id"])
    assert len({record["Path"] for record in records}) == len(records)
    admin.forget_calls()
    again = read(config, "invoice_attachments", "contact_attachments")
    fetched = [call for call in admin.calls() if "/Attachments/" in call["path"]]
    assert fetched == []
    assert again.records == run.records
    assert list((tmp_path / "files").rglob("*.part")) == []


def test_a_run_that_broke_off_fetches_only_what_is_missing_or_cut_short(
    demo: dict[str, Any], admin: AdminClient, tmp_path: Path
) -> None:
    config = {**demo, "attachments_path": str(tmp_path / "files")}
    first, second, *_ = (
        one["Path"] for one in read(config, "invoice_attachments").records["invoice_attachments"]
    )
    whole = Path(urlparse(second).path).read_bytes()
    Path(urlparse(first).path).unlink()
    Path(urlparse(second).path).write_bytes(whole[:10])
    admin.forget_calls()
    read(config, "invoice_attachments")
    assert len([call for call in admin.calls() if "/Attachments/" in call["path"]]) == 2
    assert Path(urlparse(first).path).exists()
    assert Path(urlparse(second).path).read_bytes() == whole


def test_files_and_their_folders_are_private_to_the_user(demo: dict[str, Any], tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        read({**demo, "attachments_path": str(tmp_path / "files")}, "contact_attachments")
    finally:
        os.umask(before)
    made = [tmp_path / "files", *(tmp_path / "files").rglob("*")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in made if path.is_dir()} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in made if path.is_file()} == {0o600}


def test_links_below_the_folder_for_files_are_not_followed(demo: dict[str, Any], tmp_path: Path) -> None:
    config = {**demo, "attachments_path": str(tmp_path / "files")}
    found = read(config, "contact_attachments").records["contact_attachments"]
    places = [Path(unquote(urlparse(one["Path"]).path)) for one in found]
    contents = [place.read_bytes() for place in places]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    victim = tmp_path / "victim"
    for place, content in zip(places, contents, strict=True):
        victim.write_bytes(content)
        place.unlink()
        place.symlink_to(victim)
        place.with_name(f"{place.name}.part").symlink_to(victim)
    run = read(config, "contact_attachments")
    assert run.failed == {}
    assert [place.read_bytes() for place in places] == contents
    assert not any(path.is_symlink() for path in (tmp_path / "files").rglob("*"))
    assert victim.read_bytes() == contents[-1]
    folder = places[0].parent.parent
    shutil.rmtree(folder)
    folder.symlink_to(elsewhere)
    run = read(config, "contact_attachments")
    (reason,) = run.failed.values()
    assert f"the folder {folder} is a symbolic link" in reason
    assert list(elsewhere.iterdir()) == []


def test_files_can_be_stored_anywhere_that_fsspec_supports(demo: dict[str, Any]) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    try:
        run = read({**demo, "attachments_path": "memory://xero"}, "contact_attachments")
        paths = [one["Path"] for one in run.records["contact_attachments"]]
        assert paths
        assert all(path.startswith("memory://") and memory.size(path) for path in paths)
    finally:
        memory.store.clear()


def attached(demo: dict[str, Any], api: Api, admin: AdminClient, name: str) -> Record:
    """A contact with a file that Xero lists under this name."""
    (contact,) = read(demo, "contacts").records["contacts"][:1]
    api.ask(
        "PUT",
        f"Contacts/{contact['ContactID']}/Attachments/plan.txt",
        b"1234",
        **{"Content-Type": "text/plain"},
    )
    listed = api.ask("GET", f"Contacts/{contact['ContactID']}/Attachments")
    listed["Attachments"][0]["FileName"] = name
    admin.fault(
        "status", path=f"*Contacts/{contact['ContactID']}/Attachments", status=200, body=json.dumps(listed),
        content_type="application/json", count=1,
    )  # fmt: skip
    return contact


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("a" * 247 + ".pdf", "a" * 246 + ".pdf"),
        ("附" * 84 + ".pdf", "附" * 82 + ".pdf"),
        ("附" * 84, "附" * 83),
        ("é" * 200 + ".tar.gz", "é" * 123 + ".gz"),
        ("." + "x" * 300, "_" + "x" * 249),
        ("a" * 20 + "." + "b" * 300, "a" * 20 + "." + "b" * 229),
    ],
)
def test_a_long_file_name_is_cut_by_bytes_and_keeps_its_ending(
    demo: dict[str, Any], api: Api, admin: AdminClient, tmp_path: Path, name: str, kept: str
) -> None:
    contact = attached(demo, api, admin, name)
    run = read({**demo, "attachments_path": str(tmp_path / "files")}, "contact_attachments")
    assert run.failed == {}
    (record,) = of(contact, run.records["contact_attachments"], "ContactID")
    place = Path(unquote(urlparse(record["Path"]).path))
    assert (record["FileName"], place.name) == (name, kept)
    assert len(place.name.encode()) <= 250
    assert place.read_bytes() == b"1234"


def test_a_file_that_cannot_be_stored_has_no_path_and_affects_no_other(
    demo: dict[str, Any], admin: AdminClient, tmp_path: Path
) -> None:
    config = {**demo, "attachments_path": str(tmp_path / "files")}
    usual = read(config, "invoice_attachments").records["invoice_attachments"]
    place = Path(urlparse(usual[0]["Path"]).path)
    place.unlink()
    place.mkdir()  # it has the name of the file
    run = read(config, "invoice_attachments", "currencies")
    assert run.failed == {}
    first, *rest = run.records["invoice_attachments"]
    assert first == {**usual[0], "Path": None}
    assert rest == usual[1:]
    (warning,) = run.warnings
    assert "can't be stored" in warning
    assert usual[0]["FileName"] in warning


def test_a_file_name_never_leads_out_of_its_folder(
    demo: dict[str, Any], api: Api, admin: AdminClient, tmp_path: Path
) -> None:
    contact = attached(demo, api, admin, "../../../out.txt")
    config = {**demo, "attachments_path": str(tmp_path / "files")}
    run = read(config, "contact_attachments")
    (record,) = of(contact, run.records["contact_attachments"], "ContactID")
    assert Path(urlparse(record["Path"]).path).resolve().is_relative_to(tmp_path / "files")
    assert record["FileName"] == "../../../out.txt"
    assert not (tmp_path / "out.txt").exists()


def test_a_place_that_cannot_be_written_fails_the_stream_and_names_the_setting(
    demo: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    run = read({**demo, "attachments_path": str(tmp_path / "file")}, "contact_attachments", "currencies")
    (reason,) = run.failed.values()
    assert "attachments_path" in reason
    assert run.records["currencies"]


# -- links, single reads, settings


def test_approved_sales_have_a_link_for_the_customer(demo: dict[str, Any]) -> None:
    run = read(demo, "online_invoices", "invoices")
    approved = {
        one["InvoiceID"]
        for one in run.records["invoices"]
        if one["Type"] == "ACCREC" and one["Status"] in {"AUTHORISED", "PAID"}
    }
    assert {one["InvoiceID"] for one in run.records["online_invoices"]} == approved
    assert all(one["OnlineInvoiceUrl"].startswith("https://") for one in run.records["online_invoices"])


def test_contact_details_have_the_fields_that_the_list_omits(
    demo: dict[str, Any], admin: AdminClient
) -> None:
    admin.forget_calls()
    run = read(demo, "contact_details", "contacts")
    details = {one["ContactID"]: one for one in run.records["contact_details"]}
    assert details.keys() == {one["ContactID"] for one in run.records["contacts"]}
    for listed in run.records["contacts"]:
        assert details[listed["ContactID"]]["Name"] == listed["Name"]
        assert details[listed["ContactID"]]["UpdatedDateUTC"] == listed["UpdatedDateUTC"]
    assert run.of("SCHEMA", "contact_details")[0]["schema"] == run.of("SCHEMA", "contacts")[0]["schema"]


def test_single_quotes_have_their_terms(demo: dict[str, Any]) -> None:
    run = read(demo, "quote_details", "quotes")
    assert not any("Terms" in one for one in run.records["quotes"])
    assert any(one.get("Terms") for one in run.records["quote_details"])
    assert len(run.records["quote_details"]) == len(run.records["quotes"])


def test_payment_services_are_read_with_their_branding_themes(demo: dict[str, Any], api: Api) -> None:
    assert read(demo, "branding_theme_payment_services").records["branding_theme_payment_services"] == []
    run = read(demo, "payment_services", "branding_themes")
    service, theme = run.records["payment_services"][0], run.records["branding_themes"][1]
    path = f"BrandingThemes/{theme['BrandingThemeID']}/PaymentServices"
    api.ask("POST", path, {"PaymentServices": [{"PaymentServiceID": service["PaymentServiceID"]}]})
    (found,) = read(demo, "branding_theme_payment_services").records["branding_theme_payment_services"]
    assert found == {**service, "BrandingThemeID": theme["BrandingThemeID"]}


def test_cis_settings_are_read_for_british_organisations(demo: dict[str, Any], admin: AdminClient) -> None:
    (organisation,) = admin.records("Organisation")
    admin.edit("Organisation", organisation["OrganisationID"], CountryCode="GB")
    run = read(demo, "organisation_cis_settings", "contact_cis_settings", "contacts")
    assert [one["CISEnabled"] for one in run.records["organisation_cis_settings"]] == [False]
    assert len(run.records["contact_cis_settings"]) == len(run.records["contacts"])


def test_actions_and_reminders_of_the_organisation_are_read(demo: dict[str, Any]) -> None:
    run = read(demo, "organisation_actions", "invoice_reminders", "organisation")
    assert {one["Status"] for one in run.records["organisation_actions"]} == {"ALLOWED"}
    assert "UseMulticurrency" in {one["Name"] for one in run.records["organisation_actions"]}
    assert [one["Enabled"] for one in run.records["invoice_reminders"]] == [False]


def test_published_reports_are_read_with_their_rows(demo: dict[str, Any]) -> None:
    records = read(demo, "reports").records["reports"]
    assert records
    assert all(one["Rows"] for one in records)


def test_receipts_are_read_with_their_lines(demo: dict[str, Any]) -> None:
    run = read(demo, "receipts", "expense_claims")
    assert all(one["LineItems"] for one in run.records["receipts"])
    claimed = {r["ReceiptID"] for claim in run.records["expense_claims"] for r in claim["Receipts"]}
    assert claimed <= {one["ReceiptID"] for one in run.records["receipts"]}
    assert claimed


def test_cash_journals_are_those_of_the_cash_basis(demo: dict[str, Any], admin: AdminClient) -> None:
    admin.forget_calls()
    run = read(demo, "cash_journals")
    assert {call["query"]["paymentsOnly"] for call in admin.calls("/Journals")} == {"true"}
    numbers = [one["JournalNumber"] for one in run.records["cash_journals"]]
    assert len(numbers) == len(set(numbers)) > 1000
    assert read(demo, "cash_journals", state=run.state).records["cash_journals"] == []


def test_the_cash_journals_of_a_month_add_up_to_its_profit_on_the_cash_basis(demo: dict[str, Any]) -> None:
    month = {"report_start_date": "2026-03-01", "report_end_date": "2026-03-31"}
    run = read(
        {**demo, **month, "report_payments_only": True}, "cash_journals", "accounts", "report_profit_and_loss"
    )
    kinds = {one["AccountID"]: one["Class"] for one in run.records["accounts"]}
    profit = -sum(
        Decimal(line["NetAmount"])
        for journal in run.records["cash_journals"]
        if journal["JournalDate"].startswith("2026-03")
        for line in journal["JournalLines"]
        if kinds[line["AccountID"]] in {"REVENUE", "EXPENSE"}
    )
    (shown,) = [r["Amount"] for r in run.records["report_profit_and_loss"] if r["Label"] == "Net Profit"]
    assert profit == shown != 0


# -- runs


def test_a_record_that_was_deleted_meanwhile_is_left_out(demo: dict[str, Any], admin: AdminClient) -> None:
    contacts = read(demo, "contacts").records["contacts"]
    gone = contacts[3]["ContactID"]
    admin.fault("status", path=f"*Contacts/{gone}", status=404, count=1)
    run = read(demo, "contact_details")
    assert run.failed == {}
    assert {one["ContactID"] for one in run.records["contact_details"]} == {
        one["ContactID"] for one in contacts if one["ContactID"] != gone
    }


def test_an_incremental_detail_stream_reads_only_changed_records(
    demo: dict[str, Any], admin: AdminClient
) -> None:
    chosen = catalog(demo, "contact_history")
    first = read(demo, "contact_history", catalog=chosen)
    contact = first.records["contact_history"][5]["ContactID"]
    admin.edit("Contacts", contact, FirstName="Changed")
    admin.forget_calls()
    second = read(demo, "contact_history", catalog=chosen, state=first.state)
    assert {one["ContactID"] for one in second.records["contact_history"]} == {contact}
    assert len(admin.calls("/History")) == 1


def test_a_detail_stream_that_broke_off_continues_where_it_was(
    demo: dict[str, Any], admin: AdminClient
) -> None:
    chosen = catalog(demo, "quote_history")
    whole = read(demo, "quote_history", catalog=chosen)
    last = whole.records["quote_history"][-1]["QuoteID"]
    admin.fault("status", path=f"*Quotes/{last}/History", status=400, count=1)
    broken = read({**demo, "page_size": 10}, "quote_history", catalog=chosen)
    assert broken.failed
    rest = read(demo, "quote_history", catalog=chosen, state=broken.state)
    found = {
        (one["QuoteID"], one["Number"]) for run in (broken, rest) for one in run.records["quote_history"]
    }
    assert found == {(one["QuoteID"], one["Number"]) for one in whole.records["quote_history"]}


def test_streams_that_cost_a_call_for_each_record_are_off_by_default(
    demo: dict[str, Any], admin: AdminClient
) -> None:
    off = {name for name, row in SUBRESOURCES.items() if not row.selected}
    assert SUBRESOURCES.keys() - off == {"branding_theme_payment_services"}
    admin.forget_calls()
    run: Run = read(demo)
    assert {message["stream"] for message in run.of("SCHEMA")} & off == set()


def test_a_detail_stream_needs_the_scope_of_its_records_as_well(demo: dict[str, Any]) -> None:
    scopes = ["accounting.attachments.read", "accounting.contacts.read"]
    run = read({**demo, "scopes": scopes}, "contact_attachments", "invoice_attachments", "contact_history")
    assert run.records["contact_attachments"]
    assert run.records["contact_history"]
    (warning,) = run.warnings
    assert "invoice_attachments" in warning
    assert "accounting.invoices.read" in warning


# -- budgets, tracking, and settings that are days


def test_budgets_are_read_over_any_range_24_months_a_call(demo: dict[str, Any], admin: AdminClient) -> None:
    admin.forget_calls()
    config = {**demo, "budget_start_date": "2024-05-10", "budget_end_date": "2028-04-02"}
    (overall, *_) = read(config, "budgets").records["budgets"]
    spans = {
        (q["DateFrom"], q["DateTo"]) for q in (call["query"] for call in admin.calls()) if "DateFrom" in q
    }
    assert spans == {("2024-05-01", "2026-04-30"), ("2026-05-01", "2028-04-30")}
    kept = admin.record("Budgets", overall["BudgetID"])
    planned = {
        (line["AccountID"], balance["Period"][:7]): balance["Amount"]
        for line in kept["BudgetLines"]
        for balance in line["BudgetBalances"]
        if "2024-05" <= balance["Period"][:7] <= "2028-04"
    }
    found = {
        (line["AccountID"], balance["Period"]): float(balance["Amount"])
        for line in overall["BudgetLines"]
        for balance in line["BudgetBalances"]
    }
    assert found == planned
    accounts = [line["AccountID"] for line in overall["BudgetLines"]]
    assert len(accounts) == len(set(accounts))
    assert max(period for _, period in found) > "2026-04" > min(period for _, period in found)


def test_tracking_categories_include_archived_ones_and_archived_options(
    demo: dict[str, Any], admin: AdminClient
) -> None:
    records = read(demo, "tracking_categories").records["tracking_categories"]
    assert {one["Status"] for one in records} >= {"ACTIVE"}
    assert "ARCHIVED" in {option["Status"] for one in records for option in one["Options"]}
    assert len(records) == len(admin.records("TrackingCategories"))


def test_contact_groups_have_their_members(demo: dict[str, Any], admin: AdminClient) -> None:
    groups = read(demo, "contact_groups").records["contact_groups"]
    kept = {one["ContactGroupID"]: one for one in admin.records("ContactGroups")}
    assert any(one["Contacts"] for one in groups)
    for one in groups:
        members = {member["ContactID"] for member in kept[one["ContactGroupID"]]["Contacts"]}
        assert {member["ContactID"] for member in one["Contacts"]} == members


@pytest.mark.parametrize(
    "name", ["report_start_date", "report_end_date", "budget_start_date", "budget_end_date"]
)
def test_an_invalid_day_is_refused_by_name(demo: dict[str, Any], name: str) -> None:
    with pytest.raises(ConfigurationProblem, match=f"{name} must be a day like 2024-07-01"):
        TapXero(config={**demo, name: "last year"})


def test_a_range_that_ends_before_it_starts_is_refused(demo: dict[str, Any]) -> None:
    with pytest.raises(
        ConfigurationProblem, match="report_start_date must not be later than report_end_date"
    ):
        TapXero(config={**demo, "report_start_date": "2026-02-01", "report_end_date": "2026-01-31"})
