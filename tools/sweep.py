"""Cancel jobs as in a container, at many moments, and print a table of what became of each login.

    python -m tools.sweep              100 moments for each kind of job, from 0 to 1.5 s
    python -m tools.sweep 20 vault     20 moments for one kind

Exits with 1 if a login outlives its job, or if post sends a logout without a login.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.e2e.jobs import VARIANTS, cancel_at

LAST_SECONDS = 1.5
OUTCOMES = ("not requested", "logged out", "warned", "VIOLATION")


def run(variant: str, moment: float) -> str:
    """Run one job and return its outcome."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            return cancel_at(Path(folder), variant, moment)
        except AssertionError as error:
            print(f"{variant} at {moment:.3f} s: {error}", flush=True)
            return "VIOLATION"


def main(arguments: Sequence[str]) -> int:
    """Run all jobs and print the table."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    count = int(arguments[0]) if arguments else 100
    moments = [LAST_SECONDS * number / (count - 1) for number in range(count)]
    print(f"| job | {' | '.join(OUTCOMES)} |\n{'|---' * (len(OUTCOMES) + 1)}|")
    violations = 0
    for variant in arguments[1:] or VARIANTS:
        with ThreadPoolExecutor(2) as pool:
            outcomes = Counter(pool.map(run, [variant] * count, moments))
        violations += outcomes["VIOLATION"]
        print(f"| {variant} | " + " | ".join(str(outcomes[name]) for name in OUTCOMES) + " |")
    return min(violations, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
