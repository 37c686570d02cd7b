"""Explorer: every schedule with few faults, and random schedules with many.

`python -m tests.simulation` exits with 1 at the first one that violates an invariant.
"""

from __future__ import annotations

import argparse
import random
import re
from collections import deque
from collections.abc import Iterator
from functools import partial
from itertools import chain

from tests.simulation.invariants import violations
from tests.simulation.job import JOBS, Job

SWITCHES = {0: 0, 1: 4, 2: 1}  # the most between main and post, by the number of faults


def every_schedule(kind: str) -> Iterator[Job]:
    """Run every schedule with up to two faults, kills or cancellations, those with fewer first."""
    first = (list(JOBS).index(kind),)
    queue: deque[tuple[tuple[int, ...], int, int]] = deque([(first, int("," in kind), 0)])
    while queue:
        given, faults, switches = queue.popleft()
        job = Job(given)
        yield job
        taken = tuple(index for *_, index in job.points)
        for at, (label, options, _) in list(enumerate(job.points))[len(given) :]:
            if switches and faults and ("poll" in label or "logout" in label):
                continue  # the order of file accesses makes no difference to these
            for index, option in enumerate(options[1:], 1):
                cost = 0 if option == "switch" else 2 if option.startswith("~") else 1
                counts = faults + cost, switches + (option == "switch")
                if counts[1] <= SWITCHES.get(counts[0], -1):
                    queue.append(((*taken[:at], index), *counts))


def random_schedules(seed: int, count: int) -> Iterator[Job]:
    """Run random schedules. Each depends on the seed and its own number only."""
    for number in range(count):
        source = random.Random(f"{seed} {number}")  # noqa: S311 no secret
        yield Job(pick=partial(_pick, source, source.uniform(0.05, 0.4)))


def _pick(source: random.Random, rate: float, label: str, options: tuple[str, ...]) -> int:
    is_likely = label == "job" or label.startswith("outcome") or source.random() < rate
    return source.randrange(len(options)) if is_likely else 0


def replay_options(job: Job) -> str:
    """Return the options of the command that runs a schedule again."""
    choices = re.sub("(,0)+$", "", ",".join(str(index) for *_, index in job.points))
    return f"--replay {choices}"


def report(job: Job) -> str:
    """Return the log, what is violated, and the command that runs the schedule again."""
    problems = [f"VIOLATION: {problem}" for problem in violations(job)]
    return "\n".join([*job.log, *problems, f"python -m tests.simulation {replay_options(job)}"])


def choices(text: str) -> list[int]:
    """Parse the choices of a schedule."""
    return [int(index) for index in text.split(",")]


def main() -> int:
    """Run the command line, and print the first schedule that violates an invariant."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--replay", type=choices, metavar="CHOICES", help="for example 3,0,2")
    parser.add_argument("--random", type=int, nargs=2, metavar=("SEED", "COUNT"))
    options = parser.parse_args()
    usual = chain.from_iterable(map(every_schedule, JOBS))
    if options.replay:
        print(report(Job(options.replay)))
        return 0
    for job in random_schedules(*options.random) if options.random else usual:
        if violations(job):
            print(report(job))
            return 1
    print("No violation.")
    return 0
