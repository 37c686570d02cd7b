"""Every schedule with few faults, and random ones with many."""

from __future__ import annotations

import pytest

from tests.simulation.explore import every_schedule, random_schedules, report
from tests.simulation.invariants import violations
from tests.simulation.job import JOBS, Job


@pytest.mark.parametrize("kind", sorted(JOBS, reverse=True))
def test_invariants_hold_with_up_to_two_faults(kind: str) -> None:
    for job in every_schedule(kind):
        assert not violations(job), report(job)


def test_invariants_hold_on_random_schedules() -> None:
    for job in random_schedules(seed=17, count=2000):
        assert not violations(job), report(job)


def test_schedule_replays_identically() -> None:
    for job in random_schedules(seed=18, count=20):
        assert Job([index for *_, index in job.points]).log == job.log
