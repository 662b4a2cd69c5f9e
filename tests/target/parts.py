"""The parts of the writer, built separately: a client of the sandbox, a log of writes, look-ups and a plan."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from singer_xero.api.client import XeroClient
from singer_xero.organisations import Organisation
from target_xero.intake.intake import Intake
from target_xero.intake.records import Job
from target_xero.intake.states import StateQueue
from target_xero.lookups.lookups import Lookups
from target_xero.lookups.references import References
from target_xero.planning.operations import WriteOp
from target_xero.planning.planner import Planner
from target_xero.planning.refusals import Refusals
from target_xero.settings import TargetSettings
from target_xero.summary import RejectsFile, Summary
from target_xero.write_log.identity import IdentityFormat
from target_xero.write_log.log import LogEntry, WriteLog
from target_xero.write_log.sqlite_log import open_sqlite_log
from target_xero.write_specs.rows import WRITE_SPECS
from target_xero.write_specs.spec import WriteSpec
from target_xero.writing.dispatcher import Dispatcher
from target_xero.writing.recovery import Recovery
from target_xero.writing.settlement import Settlement
from target_xero.writing.tally import Tally

from .conftest import Wiring, record, schema

CONTACTS = WRITE_SPECS["contacts"]


def job(spec: WriteSpec, key: str, **sent: Any) -> Job:
    """A record of a source named crm; its line is the first one of the spool."""
    identity = IdentityFormat("crm", spec.name, ["id"]).of([key])
    return Job(key=identity, hash=f"{key} {sorted(sent.items())}", sent=sent, epoch=0, raw=0)


def create(spec: WriteSpec, key: str, **sent: Any) -> WriteOp:
    """The create of a record in its object's own list."""
    assert spec.create is not None
    one = job(spec, key, **sent)
    return WriteOp(one, "create", spec.create, spec.path, dict(sent), LogEntry(), one.hash)


@dataclass
class Parts:
    client: XeroClient
    organisation: Organisation
    log: WriteLog
    lookups: Lookups
    references: References
    intake: Intake
    planner: Planner
    summary: Summary
    states: list[Any]
    settlement: Settlement
    recovery: Recovery
    settings: TargetSettings
    stop: Callable[[], bool]

    def dispatcher(self) -> Dispatcher:
        return Dispatcher(
            self.client,
            self.organisation,
            self.log,
            self.lookups,
            self.settings,
            self.references.foreign,
            self.stop,
        )


@contextmanager
def parts(wiring: Wiring, stop: Callable[[], bool] = lambda: False, **settings: Any) -> Iterator[Parts]:
    """All parts of the writer, for contacts of the source crm."""
    logger, passed = logging.getLogger("parts"), []
    with ExitStack() as held:
        client = wiring.client(1)
        held.callback(client.close)
        log = held.enter_context(open_sqlite_log(wiring.folder / "parts.db", wiring.tenant))
        organisation = Organisation(wiring.tenant, "Here", None)
        lookups = Lookups(client, organisation)
        references = References(log, lookups, wiring.tenant)
        intake = Intake(StateQueue(passed.append), logger.warning, "crm")
        held.callback(intake.close)
        chosen, summary = TargetSettings(**settings), Summary()
        planner = Planner(log, lookups, references, intake, deletes=True)
        schemas = {"contacts": schema("contacts", "id")}
        rejects = RejectsFile(wiring.folder / "rejects.singer", schemas)
        tally = Tally(intake, summary, rejects, references.rejected, logger, chosen)
        refusals = Refusals(log, lookups, references, planner)
        settlement = Settlement(log, lookups, planner, refusals, intake.states, tally, logger, chosen)
        recovery = Recovery(log, lookups, references, planner.finder, settlement, logger)
        # The line that rejects are made of.
        intake._lines.keep(WIRE)
        yield Parts(
            client, organisation, log, lookups, references, intake, planner, summary, passed, settlement, recovery,
            chosen, stop,
        )  # fmt: skip


WIRE = b'{"type":"RECORD","stream":"contacts","record":{"id":1,"Name":"Abel"}}\n'
__all__ = ["CONTACTS", "Parts", "create", "job", "parts", "record"]
