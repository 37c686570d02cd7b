"""Benchmark of whole runs of main and post, with the number of requests that a job sends.

    python -m tools.bench                       7 rounds, logins of 0, 1, 3 and 7 s
    python -m tools.bench --rounds=1 --logins=0

Starts Node and Python as a runner does (tests/runner), on copies of the tree: "cold" without
bytecode, as on a fresh runner, and "warm" with it. Bare starts of both show what the machine adds.
"""

from __future__ import annotations

import argparse
import logging
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.e2e.conftest import VAULT
from tests.e2e.jobs import slow_login
from tests.fake_api import FakeApi
from tests.runner import Runner, StageResult
from tests.runner.checkout import check_out

STATES = ("cold", "warm")
PYTHON = Path(sys.base_prefix, "bin", "python3")


def samples(action: Path, logins: list[int]) -> Iterator[tuple[str, float, int]]:
    """Measure each kind of run once: its name, its seconds, and the requests of its job."""
    for name, option in (("node", "-e"), (str(PYTHON), "-BsSc")):
        before = time.perf_counter()
        subprocess.run([name, option, ""], check=True)
        yield f"bare {Path(name).name}", time.perf_counter() - before, 0
    for login, cleanup in [*((login, "true") for login in logins), (0, "false")]:
        with FakeApi([slow_login(delay=0, seconds=login)], endless=True) as api:
            runner = Runner(
                action.parent / str(uuid.uuid4()),
                {**VAULT, "api_url": api.url, "cleanup": cleanup},
                action=action,
                environment={"pythonLocation": str(PYTHON.parent.parent)},
            )
            main, own = _measure(runner.main, api)
            _, post = _measure(runner.post, api)
        if cleanup == "true":
            yield f"main, after a login of {login} s", main - login, len(api.requests)
        yield "main itself", own, 0
        yield f"post itself, cleanup: {cleanup}", post, 0


def _measure(stage: Callable[[], StageResult], api: FakeApi) -> tuple[float, float]:
    """Return the seconds of a stage, with and without waiting for the server."""
    before, earlier = time.perf_counter(), len(api.requests)
    if (result := stage()).exit_code:
        raise SystemExit(f"bench: a stage failed: {result}")
    seconds = time.perf_counter() - before
    times = [request.at for request in api.requests[earlier:]] or [0.0]
    return seconds, seconds - (times[-1] - times[0])


def main() -> int:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description="Measure whole runs of main and post.")
    parser.add_argument("--rounds", type=int, default=7, help="samples of each (%(default)s)")
    parser.add_argument("--logins", default="0,1,3,7", help="their seconds (%(default)s)")
    options = parser.parse_args()
    logins = [int(seconds) for seconds in options.logins.split(",")]
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    taken: dict[str, dict[str, list[float]]] = defaultdict(lambda: {state: [] for state in STATES})
    requests: dict[str, set[int]] = defaultdict(set)
    with tempfile.TemporaryDirectory() as folder:
        for state in STATES:
            check_out(Path(folder, state), "action.yml", "main.py", "post.py", "lib")
        # The launcher's -B keeps Python from writing bytecode, but not from reading it.
        subprocess.run([PYTHON, "-m", "compileall", "-q", Path(folder, "warm")], check=True, env={})
        for state in STATES * options.rounds:
            for name, seconds, count in samples(Path(folder, state), logins):
                taken[name][state].append(seconds)
                requests[name].add(count)
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores.")
    print("Seconds: median (least to most). Itself: without waiting for the server.\n")
    print(f"| run | requests per job | {' | '.join(STATES)} |\n|---|---|---|---|")
    for name, states in taken.items():
        counts = " or ".join(map(str, sorted(requests[name] - {0})))
        spreads = [
            f"{statistics.median(s):.3f} ({min(s):.3f} to {max(s):.3f})" for s in states.values()
        ]
        print(f"| {name} | {counts} | {' | '.join(spreads)} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
