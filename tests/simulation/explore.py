"""Explorer: every schedule with few faults, and random schedules with many."""

from __future__ import annotations

import random
import re
from collections import deque
from collections.abc import Iterator
from functools import partial

from tests.simulation.invariants import violations
from tests.simulation.job import REAL, Job, Program

# The most switches between main and post, by the number of faults of a schedule.
SWITCHES = {1: 4, 2: 1}
# The share of the choice points of a random schedule at which something happens.
RATES = (0.05, 0.1, 0.2, 0.4)


def every_schedule(mode: str, program: Program = REAL) -> Iterator[Job]:
    """Run every schedule with up to two faults, kills or cancellations, those with fewer first."""
    queue: deque[tuple[tuple[int, ...], int, int]] = deque([((), 0, 0)])
    while queue:
        given, faults, switches = queue.popleft()
        job = Job(mode, given, program=program)
        yield job
        taken = tuple(index for *_, index in job.points)
        for at, (label, options, _) in list(enumerate(job.points))[len(given) :]:
            if switches and faults and ("poll" in label or "logout" in label):
                continue  # the order of file accesses makes no difference to these
            for index, option in enumerate(options[1:], 1):
                cost = 0 if option == "switch" else 2 if option.startswith("~") else 1
                counts = faults + cost, switches + (not cost)
                if counts[1] <= SWITCHES.get(counts[0], -1):
                    queue.append(((*taken[:at], index), *counts))


def random_schedules(mode: str, seed: int, count: int) -> Iterator[Job]:
    """Run random schedules. Each depends on the seed and its own number only."""
    for number in range(count):
        source = random.Random(f"{seed} {mode} {number}")  # noqa: S311 no secret
        yield Job(mode, pick=partial(_pick, source, source.choice(RATES)))


def _pick(source: random.Random, rate: float, label: str, options: tuple[str, ...]) -> int:
    is_likely = label == "job" or label.startswith("outcome") or source.random() < rate
    return source.randrange(len(options)) if is_likely else 0


def command(job: Job) -> str:
    """Return the arguments that run a schedule again."""
    choices = re.sub("(,0)+$", "", ",".join(str(index) for *_, index in job.points))
    return f"--mode {job.mode} --replay {choices}"


def report(job: Job) -> str:
    """Return the world's log, what is violated, and how to run the schedule again."""
    problems = [f"VIOLATION: {problem}" for problem in violations(job)]
    return "\n".join([*job.log, *problems, f"python -m tests.simulation {command(job)}"])
