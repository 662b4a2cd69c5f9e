"""A Dagster job that reads many organisations each night, in shares that run concurrently.

    DAGSTER_HOME=~/dagster dagster dev -f nightly.py

Each share is one `meltano run` in this folder, with its own extractor, state and schema. To use several machines, let
Dagster start the steps on them, for instance with `k8s_job_executor`; the steps share only PostgreSQL.

Environment variables: XERO_ORGANISATIONS, a file with one tenant id per line; MELTANO, the program (default: meltano);
RETRY_SECONDS before a failed share is tried again (default: 900); and the variables in meltano.yml.
"""

import hashlib
import json
import os
import subprocess
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from dagster import (
    DefaultScheduleStatus,
    Definitions,
    DynamicOut,
    DynamicOutput,
    Failure,
    OpExecutionContext,
    RetryPolicy,
    ScheduleDefinition,
    job,
    multiprocess_executor,
    op,
)

HERE = Path(__file__).resolve().parent
SHARES = 4
"""The number of extractors in meltano.yml. Another number moves organisations, which are then read again in full."""


def share_of(tenant_id: str) -> int:
    """The share of an organisation. It must not change, because the state of the share has the bookmarks."""
    return int(hashlib.sha256(tenant_id.lower().encode()).hexdigest(), 16) % SHARES + 1


def shares_of(tenant_ids: list[str]) -> dict[int, list[str]]:
    """The organisations of each share that is not empty."""
    found: dict[int, list[str]] = {}
    for tenant_id in sorted(set(tenant_ids)):
        found.setdefault(share_of(tenant_id), []).append(tenant_id)
    return dict(sorted(found.items()))


@op(out=DynamicOut(list))
def organisations(context: OpExecutionContext) -> Iterator[DynamicOutput[list]]:
    """Distribute the organisations over the shares."""
    listed = Path(os.environ["XERO_ORGANISATIONS"]).read_text(encoding="utf-8").split()
    for number, tenant_ids in shares_of(listed).items():
        context.log.info(f"share {number}: {len(tenant_ids)} organisations")
        yield DynamicOutput([number, tenant_ids], mapping_key=str(number))


# A failed share keeps the bookmarks of what it has read, so another attempt costs one call for each list.
@op(retry_policy=RetryPolicy(max_retries=1, delay=float(os.environ.get("RETRY_SECONDS", "900"))))
def read(context: OpExecutionContext, share: list) -> None:
    """Load the organisations of a share into PostgreSQL. Raises Failure with the reason from the tap's log."""
    number, tenant_ids = share
    command = [os.environ.get("MELTANO", "meltano"), "run", f"tap-xero--{number}", "target-postgres"]
    settings = {f"TAP_XERO__{number}_TENANT_IDS": json.dumps(tenant_ids), "MELTANO_PROJECT_ROOT": str(HERE)}
    log: deque[str] = deque(maxlen=1000)
    with subprocess.Popen(
        command,
        cwd=HERE,
        env=os.environ | settings,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for line in process.stdout or ():
            log.append(line.rstrip())
            context.log.debug(line.rstrip())
    if process.returncode:
        missing = [line[line.index("Not complete") :] for line in log if "Not complete" in line]
        raise Failure("\n".join(missing or list(log)[-20:]))


# All shares at once: each takes an eighth of a core and mostly waits for Xero. See docs/scale.md.
@job(executor_def=multiprocess_executor.configured({"max_concurrent": SHARES}))
def nightly() -> None:
    """Read all organisations."""
    organisations().map(read)


definitions = Definitions(
    jobs=[nightly],
    schedules=[
        ScheduleDefinition(
            job=nightly, cron_schedule="0 2 * * *", default_status=DefaultScheduleStatus.RUNNING
        )
    ],
)
