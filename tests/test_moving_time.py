"""The clock of concurrent calls."""

from __future__ import annotations

import threading

from moving_time import OverlappingTime


def test_concurrent_sleeps_overlap():
    advanced: list[float] = []
    clock = OverlappingTime(advanced.append)
    begun = threading.Barrier(3)
    ended: dict[float, float] = {}
    turns = {200.0: threading.Event(), 150.0: threading.Event(), 250.0: threading.Event()}

    def call(seconds: float) -> None:
        assert clock() == 0  # sent
        begun.wait()  # all are sent before one of them fails
        turns[seconds].wait()
        clock.sleep(seconds)
        ended[seconds] = clock()

    threads = {seconds: threading.Thread(target=call, args=(seconds,)) for seconds in turns}
    for thread in threads.values():
        thread.start()
    for seconds, thread in threads.items():
        turns[seconds].set()
        thread.join()
    assert ended == {200: 200, 150: 150, 250: 250}
    assert clock() == clock.now == sum(advanced) == 250


def test_sleeps_one_after_the_other_add_up():
    advanced: list[float] = []
    clock = OverlappingTime(advanced.append)
    for seconds in (20.0, 30.0):
        thread = threading.Thread(target=clock.sleep, args=(seconds,))
        thread.start()
        thread.join()
    clock.sleep(50)
    assert clock.now == sum(advanced) == 100
