"""Runs schedules: every one with few faults, random ones, or one again. Writes the table."""

from __future__ import annotations

import argparse
import sys
from itertools import chain

from tests.simulation import table
from tests.simulation.explore import every_schedule, random_schedules, report
from tests.simulation.invariants import violations
from tests.simulation.job import MODES, Job


def main() -> int:
    """Run what the command line names, and return 1 at the first violation."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--mode", choices=MODES, help="default: both; with --replay: vault")
    parser.add_argument("--replay", metavar="CHOICES", help="run one schedule, for example 3,0,2")
    parser.add_argument("--random", metavar="COUNT", type=int, help="run random schedules")
    parser.add_argument("--seed", type=int, default=0, help="of the random schedules")
    parser.add_argument("--table", action="store_true", help="update docs/cleanup.md")
    options = parser.parse_args()
    modes = [options.mode] if options.mode else MODES
    if options.table:
        table.write()
        return 0
    if options.replay:
        job = Job(modes[0], [int(index) for index in options.replay.split(",")])
        print(report(job))
        return bool(violations(job))
    many = options.random
    jobs = (random_schedules(m, options.seed, many) if many else every_schedule(m) for m in modes)
    first = next((job for job in chain.from_iterable(jobs) if violations(job)), None)
    print(report(first) if first else f"No violation (seed {options.seed}).")
    return first is not None


if __name__ == "__main__":
    sys.exit(main())
