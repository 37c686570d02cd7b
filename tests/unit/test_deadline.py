"""Tests of lib.deadline."""

from __future__ import annotations

import time

from lib.deadline import Deadline, SystemClock
from tests.unit.fake_clock import FakeClock


def test_deadline_counts_down_to_zero() -> None:
    clock = FakeClock()
    deadline = Deadline(clock, 10)
    clock.sleep(4)
    assert (deadline.remaining(), deadline.elapsed(), deadline.limit) == (6, 4, 10)
    clock.sleep(20)
    assert (deadline.remaining(), deadline.elapsed(), deadline.limit) == (0, 24, 10)


def test_deadline_can_only_become_earlier() -> None:
    clock = FakeClock()
    deadline = Deadline(clock, 30)
    clock.sleep(1)
    assert (deadline.earlier_by(10).remaining(), deadline.earlier_by(40).remaining()) == (19, 0)
    deadline.shorten(5)
    deadline.shorten(8)
    assert deadline.remaining() == 5


def test_system_clock_is_monotonic_and_never_canceled() -> None:
    clock = SystemClock()
    start = time.monotonic()
    clock.sleep(0.001)
    clock.raise_if_canceled()
    clock.raise_if_canceled(request_in_flight=True)
    assert start + 0.001 <= clock.now() <= time.monotonic()
