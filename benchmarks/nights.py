"""Nightly runs of the tap against a sandbox."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks import contenders, environments, measure
from benchmarks.contenders import SandboxPlace
from benchmarks.environments import OURS


class Night:
    """Runs of the tap against a sandbox; each begins with the state of the previous one."""

    def __init__(self, folder: Path, place: SandboxPlace, *streams: str) -> None:
        self._env = contenders.environment(folder)
        self._state, self._out = folder / "state.json", folder / "out"
        config = folder / "nightly.json"
        config.write_text(json.dumps({**place.settings(folder), "tenant_ids": list(place.tenants)}))
        self._command: list[str | Path] = [environments.program(OURS, "tap-xero"), "--config", config]
        if streams:
            self._command += ["--catalog", contenders.only(*streams)]

    @property
    def command(self) -> list[str | Path]:
        """The command of the next run."""
        state = ["--state", self._state] if self._state.exists() else []
        return [*self._command, *state]

    def run(self) -> set[str]:
        """Run once and store the state. Returns the names of the streams that were read."""
        measure.run(self.command, env=self._env, out=self._out)
        last, names = b"", set()
        with self._out.open("rb") as lines:
            for line in lines:
                kind = json.loads(line)["type"]
                last = line if kind == "STATE" else last
                if kind == "SCHEMA":
                    names.add(json.loads(line)["stream"])
        self._state.write_text(json.dumps(json.loads(last)["value"]))
        return names
