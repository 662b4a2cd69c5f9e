"""Writing invoices: records for a CPU second, and how fast what is unchanged is recognised."""

from __future__ import annotations

import json
import re
import subprocess
from collections import defaultdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from benchmarks import contenders, environments, measure
from benchmarks.contenders import HERE, Prebuilt
from benchmarks.environments import OURS, TEMPLATE
from benchmarks.invoices import invoice
from benchmarks.measure import Sample, Spread
from benchmarks.reading import say
from benchmarks.tables import titled

SMALL, LARGE = 500, 5_000
UNCHANGED = 10_000

OURS_NAME, THEIRS_NAME = "target-xero", "SDK template, validation on"


_DATE = re.compile(r'"(\w+)":"/Date\((\d+)\+0000\)/"')


def _iso(found: re.Match[str]) -> str:
    moment = datetime.fromtimestamp(int(found[2]) / 1000, timezone.utc)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if found[1].endswith("UTC") else moment.date().isoformat()
    return f'"{found[1]}":"{text}"'


def messages(path: Path, records: int) -> Path:
    """Write a Singer input of invoices from another system: their keys are its own, their contacts Xero's."""
    python = environments.python_of(TEMPLATE)
    code = "import json, template_tap; print(json.dumps(template_tap.Invoices.schema))"
    schema = json.loads(subprocess.check_output([python, "-c", code], cwd=HERE))
    schema["properties"] = {"id": {"type": ["integer"]}, **schema["properties"]}
    with path.open("w") as lines:
        message: dict[str, Any] = {
            "type": "SCHEMA",
            "stream": "invoices",
            "schema": schema,
            "key_properties": ["id"],
        }
        lines.write(json.dumps(message) + "\n")
        for number in range(records):
            text = _DATE.sub(_iso, invoice(number)).partition('"InvoiceID":')
            start = f'{{"type":"RECORD","stream":"invoices","record":{{"id":{number},"Type":"ACCREC",'
            lines.write(f"{start}{text[2].partition(',')[2]}}}\n")
        lines.write(json.dumps({"type": "STATE", "value": {"done": True}}) + "\n")
    return path


def _command(name: str, place: Prebuilt, folder: Path, ledger: str) -> list[str | Path]:
    config = folder / f"{name[:3]}.json"
    if name == THEIRS_NAME:
        config.write_text(json.dumps({"api_url": place.url, "access_token": place.access_token}))
        return [environments.python_of(TEMPLATE), HERE / "template_target.py", "--config", config]
    config.write_text(
        json.dumps(
            {
                "client_id": place.client_id,
                "client_secret": place.client_secret,
                "refresh_token": "first",
                "token_path": str(folder / "tokens.json"),
                "api_url": place.url,
                "identity_url": place.url,
                "tenant_ids": list(place.tenants),
                "ledger_path": str(folder / ledger),
            }
        )
    )
    return [environments.program(OURS, "target-xero"), "--config", config]


def write(folder: Path, repeats: int) -> None:
    """Write invoices with our target and with the SDK's default; then the same again with ours."""
    env = contenders.environment(folder)
    files = {size: messages(folder / f"{size}.jsonl", size) for size in (SMALL, LARGE, UNCHANGED)}
    samples: dict[tuple[str, int], list[Sample]] = defaultdict(list)
    with contenders.prebuilt() as place:
        for turn in range(repeats):
            for size in (SMALL, LARGE):
                for name in (OURS_NAME, THEIRS_NAME):
                    place.set()
                    sample = measure.run(
                        _command(name, place, folder, f"{turn}-{size}.db"), env=env, source=files[size]
                    )
                    written = place.counted()["written"]
                    if written != size:
                        raise measure.Failed(
                            f"{name} wrote {written:.0f} of {size} records:\n{sample.log[-2000:]}"
                        )
                    samples[name, size].append(sample)
            say(f"writing: round {turn + 1} of {repeats} done")

        def rates(name: str) -> list[float]:
            begin = Spread.of(one.cpu for one in samples[name, SMALL]).middle
            return [(LARGE - SMALL) / (one.cpu - begin) for one in samples[name, LARGE]]

        rows = []
        for name in (OURS_NAME, THEIRS_NAME):
            ratio = Spread.of(
                mine / theirs for mine, theirs in zip(rates(name), rates(THEIRS_NAME), strict=True)
            )
            rows.append(
                [name, Spread.of(rates(name)).text(0), ratio.text(1),
                 Spread.of(one.cpu for one in samples[name, LARGE]).text(2),
                 Spread.of(one.wall for one in samples[name, LARGE]).text(2),
                 f"{max(one.rss for one in samples[name, LARGE]) / 2**20:.0f}"]
            )  # fmt: skip
        head = [
            "",
            "records per CPU second",
            "times the template's",
            f"CPU s, {LARGE:,} records",
            "wall s",
            "peak MB",
        ]
        titled("Writing invoices, pre-built answers", head, rows)

        place.set()
        command = _command(OURS_NAME, place, folder, "unchanged.db")
        runs = []
        for _ in range(1 + repeats):
            sample = measure.run(command, env=env, source=files[UNCHANGED])
            runs.append((place.counted()["written"], sample))
        written, *later = [number for number, _ in runs]
        if written != UNCHANGED or any(number != written for number in later):
            raise measure.Failed(f"what is unchanged was written again: {written:.0f}, then {later}")
    again = [sample for _, sample in runs[1:]]
    row = [
        f"{UNCHANGED:,} unchanged invoices",
        Spread.of(one.wall for one in again).text(2),
        Spread.of(one.cpu for one in again).text(2),
        f"{max(one.rss for one in again) / 2**20:.0f}",
    ]
    titled("What is unchanged", ["target-xero", "wall s", "CPU s", "peak MB"], [row])
