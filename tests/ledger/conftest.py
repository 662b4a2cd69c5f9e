"""dbt, the tap's messages of several companies, and warehouses with their ledger."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from demo import dbt, install

from .warehouse import Message, read_messages

ROOT = Path(__file__).resolve().parents[2]
#: The streams for the ledger, besides those that are on by default.
MORE = (
    "expense_claims", "expense_claim_payments", "expense_claim_receipts", "receipts", "receipt_line_items",
    "receipt_line_item_tracking", "report_profit_and_loss", "report_balance_sheet", "report_trial_balance",
    "report_bank_summary", "report_aged_receivables_by_contact", "report_aged_payables_by_contact",
)  # fmt: skip
#: Those of them that cost a call for each record or contact, and are read only if the settings name them.
DETAILS = ("receipts", "report_aged_receivables_by_contact", "report_aged_payables_by_contact")


@pytest.fixture(scope="session")
def dbt_program() -> Path:
    """dbt in its own environment, which is kept for later runs."""
    folder = ROOT / ".demo" / "dbt"
    folder.parent.mkdir(exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        return dbt.make_environment(folder)


def read_company(settings: dict[str, Any], folder: Path) -> list[Message]:
    """The tap's messages of all streams for the ledger."""
    folder.mkdir(exist_ok=True)
    config = folder / "config.json"
    config.write_text(
        json.dumps(
            {
                "field_names": "snake_case",
                "nested_tables": True,
                "detail_streams": DETAILS,
                "report_start_date": "2024-01-01",
                "report_end_date": "2026-12-31",
                "token_path": str(folder / "tokens.json"),
                **settings,
            }
        )
    )
    tap = [str(Path(sys.executable).parent / "tap-xero"), "--config", str(config)]
    found = subprocess.run([*tap, "--discover"], capture_output=True, check=True, env=install.environment())
    catalog = json.loads(found.stdout)
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if entry["breadcrumb"] == [] and stream["tap_stream_id"] in MORE:
                entry["metadata"]["selected"] = True
    (folder / "catalog.json").write_text(json.dumps(catalog))
    run = subprocess.run(
        [*tap, "--catalog", str(folder / "catalog.json")],
        capture_output=True,
        check=False,
        env=install.environment(),
    )
    assert run.returncode == 0, run.stderr.decode()[-3000:]
    return list(read_messages(run.stdout.splitlines()))
