"""The demo itself; `python3 demo` runs it in the Python environment that it creates."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from demo import dbt, install, postgres, results
from demo.screen import bold, say, step

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterator

    from demo.screen import Step

ROOT = install.ROOT
DEMO = ROOT / ".demo"
SCHEMA, LEDGER_SCHEMA = "xero_demo", "xero_demo_ledger"
#: The streams for the ledger and its comparison, in addition to those that are read by default.
SELECTED = [
    "*.*",
    *(
        "!*_history.*",
        "!*_attachments.*",
        "!*_details.*",
        "!cash_journal*.*",
        "!*_cis_settings.*",
        "!online_invoices.*",
    ),
    *("!report_budget_summary.*", "!report_executive_summary.*", "!report_ten_ninety_nine.*"),
]
#: Those of them that cost a call for each record or contact.
DETAILS = ["receipts", "report_aged_receivables_by_contact", "report_aged_payables_by_contact"]
OURS = "made by singer-xero's demo"
PLUGINS = {"extractor": "tap-xero", "loader": "target-postgres"}


class DemoError(Exception):
    """The demo cannot continue; the text says why, and how to fix it."""


class Destination:
    """A database server, and the folder with the state of its runs.

    `url` is the user's own server, or None for one that the demo runs.
    """

    def __init__(self, url: str | None) -> None:
        parts = urlsplit(url or "")
        if url and parts.scheme.partition("+")[0] not in {"postgres", "postgresql"}:
            raise DemoError(f"DATABASE_URL must begin with postgresql://, not {parts.scheme}://")
        self.url = urlunsplit(parts._replace(scheme="postgresql")) if url else None
        same = f"{parts.hostname}:{parts.port}{parts.path}"
        name = f"server-{hashlib.sha256(same.encode()).hexdigest()[:8]}" if url else "local"
        self.folder = DEMO / name
        self.shown = same
        self.xero = self.folder / "xero"
        self.server = self.folder / "postgres"
        self._runs = self.folder / "runs.json"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep a second demo out of the same folder."""
        DEMO.mkdir(exist_ok=True)
        with (DEMO / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise DemoError("another demo is running in this folder") from None
            yield

    @property
    def runs(self) -> list[dict[str, Any]]:
        """The results of the finished runs, oldest first."""
        if not self._runs.exists():
            return []
        runs: list[dict[str, Any]] = json.loads(self._runs.read_text(encoding="utf-8"))
        return runs

    def remember(self, run: dict[str, Any]) -> None:
        """Add a finished run."""
        half = self._runs.with_suffix(".half")
        half.write_text(json.dumps([*self.runs, run], indent=1), encoding="utf-8")
        half.replace(self._runs)

    def forget(self) -> None:
        """Forget the runs and their company; the database stays."""
        for path in self.folder.iterdir():
            if path.is_dir() and path != self.server:
                shutil.rmtree(path)
            elif path.is_file():
                path.unlink()

    def remove(self) -> None:
        """Remove everything that the demo created, including its schemas on the user's own server."""
        if self.url:
            results.drop_schema(self.url, SCHEMA, OURS)
            results.drop_schema(self.url, LEDGER_SCHEMA, OURS)
        postgres.remove(self.server)
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def database(destination: Destination) -> Iterator[str]:
    """Yield the address of a PostgreSQL with the demo's schemas: the user's, or one that runs for the block."""
    with contextlib.ExitStack() as stack:
        with step("PostgreSQL", "starting") as current:
            if destination.url:
                url = destination.url
                current.note = f"your server at {destination.shown}"
            else:
                server = stack.enter_context(postgres.running(destination.server))
                url, programs = server.url, server.programs
                current.note = (
                    f"PostgreSQL {programs.version}, {programs.source}, on {server.host}:{server.port}"
                )
            if results.own_schema(url, SCHEMA, OURS):
                # With the state of earlier runs, the new schema would stay empty.
                destination.forget()
            results.own_schema(url, LEDGER_SCHEMA, OURS)
        yield url


def plugins(current: Step) -> None:
    """Let Meltano install its plugins, again after a change of pyproject.toml, which Meltano does not notice."""
    stamp = DEMO / "plugins.json"
    wanted = {"project": install.fingerprint(), "python": os.path.realpath(install.PYTHON), "at": str(ROOT)}
    venvs = [DEMO / "meltano" / f"{kind}s" / name / "venv" for kind, name in PLUGINS.items()]
    current.note = "tap-xero and target-postgres are up to date"
    if stamp.exists() and json.loads(stamp.read_text()) == wanted and all(venv.exists() for venv in venvs):
        return
    current.progress("meltano install tap-xero target-postgres")
    meltano(["install", *PLUGINS.values()], meltano_environment(), DEMO / "install.log")
    stamp.write_text(json.dumps(wanted))
    current.note = "tap-xero and target-postgres, each in its own environment"


def meltano_environment(**settings: str) -> dict[str, str]:
    """The environment of Meltano, without the user's settings and with everything in `.demo`."""
    kept = {
        name: value
        for name, value in install.environment().items()
        if not name.startswith(("MELTANO_", "TAP_", "TARGET_")) and name != "DATABASE_URL"
    }
    kept |= {
        "MELTANO_PROJECT_ROOT": str(ROOT),
        "MELTANO_SYS_DIR_ROOT": str(DEMO / "meltano"),
        "XDG_STATE_HOME": str(DEMO / "state"),
    }
    if install.installed_by() == "pip":
        kept["MELTANO_VENV_BACKEND"] = "virtualenv"
    return kept | settings


def meltano(
    arguments: list[str], environment: dict[str, str], log: Path, current: Step | None = None
) -> None:
    """Run Meltano; its output goes to the log, its progress to the screen.

    Raises:
        DemoError: Meltano failed; the text has the end of its output.
    """
    no_settings = DEMO / "no-settings.env"
    no_settings.touch()
    command = [str(install.PYTHON.parent / "meltano"), "--log-format=json", "--environment=demo"]
    command += [f"--env-file={no_settings}", *arguments]
    progress = results.Progress()
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    try:
        with log.open("w", encoding="utf-8") as file:
            for line in process.stdout or ():
                said = progress.read(line)
                file.write(f"{said}\n")
                if current and progress.text:
                    current.progress(progress.text)
        code = process.wait()
    finally:
        # Ctrl-C does not reach Meltano, tap and target, which are another process group; stop them here.
        for how in (signal.SIGTERM, signal.SIGKILL):
            if process.poll() is None:
                os.killpg(process.pid, how)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=5)
    if code:
        last = "\n".join(f"  {line}" for line in progress.last)
        raise DemoError(
            f"`meltano {' '.join(arguments)}` failed ({code}). The end of its output:\n{last}\nThe full log: {log}\n"
            "If .demo has the data of another version, start over with `make demo-reset`."
        )


def company(destination: Destination, *, pass_a_day: bool) -> tuple[datetime.date, str]:
    """Let a business day pass in the demo company if asked; returns its date, and a description."""
    from xero_sandbox import Sandbox

    with Sandbox(data=destination.xero, limits=False) as sandbox:
        news = "a demo company with two years of trade"
        if pass_a_day:
            changed = sum(sandbox.admin.day()["changed"].values())
            news = f"a business day passes: {changed} records change"
        now = sandbox.admin.now()
    return now.date(), f"{news}; it is {now:%d %B %Y}"


def show_ledger(destination: Destination, url: str, today: datetime.date) -> None:
    """Build the ledger from the documents with dbt, compare it with Xero's reports, and write the page."""
    from xero_reconcile.__main__ import NOT_COMPARED
    from xero_reconcile.__main__ import main as reconcile

    with step("dbt", "in its own environment") as current:
        program = dbt.make_environment(DEMO / "dbt")
        current.progress("dbt build: models and their tests")
        settings = {**dbt.postgres_settings(url), "XERO_LEDGER_SCHEMA": LEDGER_SCHEMA}
        variables = {"xero_schema": SCHEMA, "xero_ledger_from": "documents", "xero_as_at": today.isoformat()}
        said = dbt.run(program, ["build"], settings, destination.folder / "dbt", variables=variables)
        current.note = (
            f"a general ledger from documents: {said.count(' OK ')} models, {said.count(' PASS ')} tests"
        )
    config, page = destination.folder / "tap.json", destination.folder / "books.html"
    config.write_text(json.dumps({"sandbox": str(destination.xero)}), encoding="utf-8")
    say()
    say(bold("xero-reconcile: the ledger compared with Xero's own figures"))
    say()
    arguments = [
        "--database",
        url,
        "--schema",
        LEDGER_SCHEMA,
        "--tap-schema",
        SCHEMA,
        "--config",
        str(config),
    ]
    if code := reconcile([*arguments, "--page", str(page)]):
        what = "could not be compared" if code == NOT_COMPARED else "differ"
        raise DemoError(f"The ledger and Xero's figures {what}: see above.")


def demo(destination: Destination, began: float, stay: bool) -> None:
    """Run the demo once."""
    from singer_xero.objects import OBJECTS

    destination.folder.mkdir(parents=True, exist_ok=True)
    with step("Meltano's plugins") as current:
        plugins(current)
    with database(destination) as url:
        number = len(destination.runs) + 1
        with step("Xero (sandbox)") as current:
            today, current.note = company(destination, pass_a_day=number > 1)
        log = destination.folder / f"run-{number}.log"
        with step("meltano run", "starting") as current:
            started = time.time()
            settings = {
                "MELTANO_DATABASE_URI": f"sqlite:///{destination.folder / 'meltano.db'}",
                "TAP_XERO_SANDBOX": str(destination.xero),
                "TAP_XERO_NESTED_TABLES": "true",
                "TAP_XERO_DETAIL_STREAMS": json.dumps(DETAILS),
                "TAP_XERO_REPORT_START_DATE": "2024-10-01",
                "TAP_XERO_REPORT_REREAD_PERIODS": "30",
                "TAP_XERO__SELECT": json.dumps(SELECTED),
                "TARGET_POSTGRES_SQLALCHEMY_URL": sqlalchemy_url(url),
                "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": SCHEMA,
            }
            meltano(["run", *PLUGINS.values()], meltano_environment(**settings), log, current)
            tables = results.tables(url, SCHEMA, started)
            moved = sum(table.moved for table in tables)
            current.note = f"{moved} rows of {len([t for t in tables if t.moved])} tables"
        seconds = round(time.time() - started, 1)
        tables = [one for one in tables if one.name in OBJECTS]
        destination.remember({"rows": {one.name: one.moved for one in tables}, "seconds": seconds})
        results.show_tables(tables, destination.runs, SCHEMA)
        results.show_owed(url, SCHEMA, today)
        say()
        show_ledger(destination, url, today)
        say()
        took = bold(f"{time.time() - began:.1f} s")
        say(f"{took} in total. Log of Meltano, tap and target: {log.relative_to(ROOT)}")
        say(
            "Run `make demo` again for the next business day, which reads only what changed. "
            "`make demo-reset` starts over."
        )
        if stay:
            say()
            say(f"The database runs until Ctrl-C: psql '{destination.shown if destination.url else url}'")
            with contextlib.suppress(KeyboardInterrupt):
                signal.pause()


def sqlalchemy_url(url: str) -> str:
    """Return a PostgreSQL address for target-postgres, with the driver that it installs."""
    return urlunsplit(urlsplit(url)._replace(scheme="postgresql+psycopg"))


def _on_signal(number: int, _frame: object) -> None:
    # Ignore further signals, so that they do not interrupt the clean-up.
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)


def main(arguments: list[str]) -> int:
    """Run the demo, or reset it; returns the exit code."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, _on_signal)
    try:
        destination = Destination(os.environ.get("DATABASE_URL"))
        with destination.locked():
            if "--reset" in arguments:
                destination.remove()
                say(f"{destination.folder.relative_to(ROOT)} was removed: the next demo starts over.")
            else:
                demo(
                    destination, float(os.environ.get("XERO_DEMO_BEGAN", time.time())), "--stay" in arguments
                )
    except (DemoError, dbt.DbtError, postgres.PostgresError, results.DatabaseError) as error:
        say()
        say(str(error))
        return 1
    except BrokenPipeError:
        # The reader of a pipe is gone; keep Python from writing to it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        say()
        say("Stopped, with all its processes. `make demo` continues from here.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
