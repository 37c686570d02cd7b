"""Every schedule with few faults, random ones with many, and mutants that must be caught."""

from __future__ import annotations

import pytest

from tests.simulation import table
from tests.simulation.explore import every_schedule, random_schedules, report
from tests.simulation.invariants import violations
from tests.simulation.job import MODES, Job
from tests.simulation.mutants import MUTANTS, mutated
from tests.simulation.world import Choices

SEED = 17


@pytest.mark.parametrize("shard", range(table.SHARDS))
def test_every_schedule_with_two_faults_holds(shard: int) -> None:
    count = 0
    for mode in MODES:
        for count, job in enumerate(
            every_schedule(mode, shard=shard, shards=table.SHARDS), count + 1
        ):
            assert not violations(job), report(job)
    assert count == pytest.approx(table.documented()[1][shard], rel=0.05), "run --table again"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("part", range(2))
def test_random_schedules_hold(mode: str, part: int) -> None:
    for job in random_schedules(mode, SEED, range(500 * part, 500 * part + 500)):
        assert not violations(job), f"seed {SEED}\n{report(job)}"


@pytest.mark.parametrize("name", [*MUTANTS, "no-look-for-stop-file"])
def test_explorer_catches_mutant(name: str) -> None:
    program = mutated(name)
    assert any(violations(job) for mode in MODES for job in every_schedule(mode, program=program))


def test_schedule_replays_identically() -> None:
    for job in random_schedules("vault", SEED, range(20)):
        assert Job("vault", Choices(job.choices.taken)).run().log == job.log


def test_table_in_docs_is_current() -> None:
    text, counts = table.documented()
    assert text.startswith(table.rows()), "run python -m tests.simulation --table"
    assert f"{sum(counts):,} schedules" in text
