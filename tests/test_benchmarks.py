"""The benchmark of many organisations makes as many calls as a night needs, measured and simulated."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import contenders, scale

COST = scale.Cost(start=0.5, call=0.001, record=3e-5, memory=70e6, memory_each=50e3)


def test_a_run_without_changes_takes_one_call_for_each_list(tmp_path: Path):
    with contenders.prebuilt() as place:
        measured = scale.run(place, tmp_path, organisations=2, records=0)
    assert measured.calls == 2 * len(scale.LISTS) + 2  # and the token and the list of organisations
    assert measured.states


@pytest.mark.parametrize("processes", [1, 2])
def test_a_simulated_first_night_takes_as_long_as_the_limit_of_each_organisation_dictates(processes: int):
    night = scale.Night("first", organisations=2, pages=100)
    seconds = scale.Simulation(night, COST, processes, latency=0.3).play()
    assert night.calls == 2 * (len(scale.LISTS) + 100)
    assert 120 < seconds < 130  # 126 calls of each organisation, 60 a minute


def test_a_simulated_night_is_limited_by_the_concurrent_calls_of_the_tap():
    night = scale.Night("nothing new", organisations=60)
    seconds = scale.Simulation(night, COST, processes=1, latency=1.0).play()
    assert night.calls / 60 < seconds < 1.1 * night.calls / 60
