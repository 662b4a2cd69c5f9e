"""Writing invoices: the CPU of the intake and of the write, the waits, and the CPU for unchanged records."""

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
#: Records for the intake. The fast programs get a longer long run.
TAKEN = {"short": 500, "slow": 5_000, "fast": 50_000}
#: Records that are written where every answer takes a second.
WAITED = 1_000

OURS_NAME, THEIRS_NAME = "target-xero", "SDK template, validation on"
OURS_OTHER_NAMES, SINK_NAME = "target-xero, names such as line_items", "SDK's default sink, validation on"


_DATE = re.compile(r'"(\w+)":"/Date\((\d+)\+0000\)/"')


def _iso(found: re.Match[str]) -> str:
    moment = datetime.fromtimestamp(int(found[2]) / 1000, timezone.utc)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if found[1].endswith("UTC") else moment.date().isoformat()
    return f'"{found[1]}":"{text}"'


_NAME = re.compile(r'"([A-Z]\w+)":')


def _in_small_letters(found: re.Match[str]) -> str:
    return '"' + re.sub(r"(?<=[a-z])(?=[A-Z])", "_", found[1]).lower() + '":'


def messages(path: Path, records: int, *, small_letters: bool = False) -> Path:
    """Write a Singer input of invoices from another system, with its own keys and with Xero's contacts."""
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
            line = f"{start}{text[2].partition(',')[2]}}}\n"
            lines.write(_NAME.sub(_in_small_letters, line) if small_letters else line)
        lines.write(json.dumps({"type": "STATE", "value": {"done": True}}) + "\n")
    return path


def _command(name: str, place: Prebuilt, folder: Path, log: str) -> list[str | Path]:
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
                "write_log_path": str(folder / log),
            }
        )
    )
    return [environments.program(OURS, "target-xero"), "--config", config]


def write(folder: Path, repeats: int) -> None:
    """Measure the intake, the write, the waits and unchanged records."""
    take_in(folder, repeats)
    send(folder, repeats)
    wait(folder)
    recognise(folder, repeats)


def take_in(folder: Path, repeats: int) -> None:
    """Read and validate invoices without writing them, with our target and with the SDK's default sink."""
    env = contenders.environment(folder)
    files = {name: messages(folder / f"{name}.jsonl", size) for name, size in TAKEN.items()}
    others = {
        name: messages(folder / f"{name}-small.jsonl", TAKEN[name], small_letters=True)
        for name in ("short", "fast")
    }
    ours, theirs = environments.python_of(OURS), environments.python_of(TEMPLATE)
    cases: list[tuple[str, Path, str, dict[str, Path], str]] = [
        (OURS_NAME, ours, "intake_ours.py", files, "fast"),
        (OURS_OTHER_NAMES, ours, "intake_ours.py", others, "fast"),
        (SINK_NAME, theirs, "intake_theirs.py", files, "slow"),
    ]
    rates: dict[str, list[float]] = defaultdict(list)
    memory: dict[str, int] = {}
    for turn in range(max(3, repeats)):
        for name, python, program, given, long in cases:
            cpu = {}
            for size in ("short", long):
                out = folder / "taken"
                sample = measure.run([python, HERE / program, given[size]], env=env, out=out)
                taken = out.read_text().split()[-1]
                if int(taken) != TAKEN[size]:
                    raise measure.Failed(f"{name} took in {taken} of {TAKEN[size]}:\n{sample.log[-2000:]}")
                cpu[size] = sample.cpu
            rates[name].append((TAKEN[long] - TAKEN["short"]) / (cpu[long] - cpu["short"]))
            memory[name] = sample.rss
        say(f"taking in: round {turn + 1} of {max(3, repeats)} done")
    rows = [
        [name, Spread.of(rates[name]).text(0), Spread.of(1e6 / rate for rate in rates[name]).text(1),
         Spread.of(mine / his for mine, his in zip(rates[name], rates[SINK_NAME], strict=True)).text(1),
         f"{memory[name] / 2**20:.0f}"]
        for name, *_ in cases
    ]  # fmt: skip
    titled(
        "Reading and validating invoices, without writing them",
        ["", "records per CPU second", "CPU µs a record", "times the SDK's", "peak MB"],
        rows,
        "Start-up is subtracted: a long run less a short one. Ours: read, checked by the registry's rules, hashed and",
        "kept in temporary files, up to the first call. The SDK's: read, checked by its JSON schema validation, and",
        "kept in batches of 10,000.",
    )


def wait(folder: Path) -> None:
    """Write with a second for each answer, which shows how many requests are in flight at once."""
    env = contenders.environment(folder)
    source = messages(folder / "waited.jsonl", WAITED)
    rows = []
    with contenders.prebuilt() as place:
        for name in (OURS_NAME, THEIRS_NAME):
            place.set(latency=1.0)
            sample = measure.run(_command(name, place, folder, "waited.db"), env=env, source=source)
            counted = place.counted()
            if counted["written"] != WAITED:
                raise measure.Failed(
                    f"{name} wrote {counted['written']:.0f} of {WAITED}:\n{sample.log[-2000:]}"
                )
            rows.append(
                [name, str(counted["calls"]), f"{counted['waits']:.0f}", f"{sample.wall:.1f}",
                 str(counted["most_at_once"])]
            )  # fmt: skip
    titled(
        f"Writing {WAITED:,} invoices, a second for each answer",
        ["", "calls", "waits s", "took s", "at once"],
        rows,
    )


def send(folder: Path, repeats: int) -> None:
    """Write invoices with our target and with the SDK's template."""
    env = contenders.environment(folder)
    files = {size: messages(folder / f"{size}.jsonl", size) for size in (SMALL, LARGE)}
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
                [name, Spread.of(rates(name)).text(0), Spread.of(1e6 / rate for rate in rates(name)).text(0),
                 ratio.text(1),
                 Spread.of(one.cpu for one in samples[name, LARGE]).text(2),
                 Spread.of(one.wall for one in samples[name, LARGE]).text(2),
                 f"{max(one.rss for one in samples[name, LARGE]) / 2**20:.0f}"]
            )  # fmt: skip
        head = [
            "",
            "records per CPU second",
            "CPU µs a record",
            "times the template's",
            f"CPU s, {LARGE:,} records",
            "wall s",
            "peak MB",
        ]
        titled(
            "Writing invoices, pre-built answers",
            head,
            rows,
            "From the input to the last answer; the rates without start-up. Ours also looks every record up, and",
            "logs it on disk before it is sent and when it is answered; the template does neither.",
        )


def recognise(folder: Path, repeats: int) -> None:
    """Send records again that were written before."""
    env = contenders.environment(folder)
    source = messages(folder / "unchanged.jsonl", UNCHANGED)
    with contenders.prebuilt() as place:
        place.set()
        command = _command(OURS_NAME, place, folder, "unchanged.db")
        runs = []
        for _ in range(1 + repeats):
            sample = measure.run(command, env=env, source=source)
            runs.append((place.counted()["written"], sample))
        written, *later = [number for number, _ in runs]
        if written != UNCHANGED or any(number != written for number in later):
            raise measure.Failed(f"unchanged records were written again: {written:.0f}, then {later}")
    again = [sample for _, sample in runs[1:]]
    row = [
        f"{UNCHANGED:,} unchanged invoices",
        Spread.of(one.wall for one in again).text(2),
        Spread.of(one.cpu for one in again).text(2),
        f"{max(one.rss for one in again) / 2**20:.0f}",
    ]
    titled("Unchanged records", ["target-xero", "wall s", "CPU s", "peak MB"], [row])
