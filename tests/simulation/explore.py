"""Explorer: every schedule with few faults, and random schedules with many."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator

from tests.simulation.invariants import violations
from tests.simulation.job import Job, Program
from tests.simulation.world import Choices

# The most switches between main and post, by the number of faults of a schedule.
SWITCHES = {1: 4, 2: 1}
# The share of the choice points of a random schedule at which something happens.
RATES = (0.05, 0.1, 0.2, 0.4)


def every_schedule(
    mode: str, *, program: Program = Program(), shard: int = 0, shards: int = 1
) -> Iterator[Job]:
    """Run every schedule with up to two faults, kills or cancellations, those with fewer first.

    Each first fault belongs to one of the shards.
    """
    queue: deque[tuple[tuple[int, ...], int, int]] = deque([((), 0, 0)])
    first = 0
    while queue:
        given, faults, switches = queue.popleft()
        job = Job(mode, Choices(given), program).run()
        if given or shard == 0:
            yield job
        taken = tuple(index for *_, index in job.choices.points)
        for at, (label, options, _) in list(enumerate(job.choices.points))[len(given) :]:
            if switches and faults and ("poll" in label or "logout" in label):
                continue  # the order of file accesses makes no difference to these
            for index, option in enumerate(options[1:], 1):
                cost = 0 if option == "switch" else 2 if option.startswith("~") else 1
                first += not given
                is_ours = given or first % shards == shard
                if is_ours and switches + (not cost) <= SWITCHES.get(faults + cost, -1):
                    queue.append(((*taken[:at], index), faults + cost, switches + (not cost)))


def random_schedules(mode: str, seed: int, numbers: range) -> Iterator[Job]:
    """Run random schedules. Each depends on the seed and its own number only."""
    for number in numbers:
        source = random.Random(f"{seed} {mode} {number}")  # noqa: S311 no secret
        yield Job(mode, Choices(pick=_Picker(source))).run()


class _Picker:
    def __init__(self, source: random.Random) -> None:
        self._source = source
        self._rate = source.choice(RATES)

    def __call__(self, label: str, options: tuple[str, ...]) -> int:
        if label == "job" or label.startswith("outcome") or self._source.random() < self._rate:
            return self._source.randrange(len(options))
        return 0


def report(job: Job) -> str:
    """Return the world's log, what is violated, and how to run the schedule again."""
    choices = ",".join(map(str, job.choices.taken)) or "0"
    command = f"python -m tests.simulation --mode {job.mode} --replay {choices}"
    return "\n".join([*job.log, *(f"VIOLATION: {text}" for text in violations(job)), command])
