"""Benchmark of whole runs of main and post, with the number of requests that a job sends.

    python -m tools.bench               7 rounds
    python -m tools.bench --rounds=1    a quick look

Node and Python are started as a runner starts them (tests/runner), on copies of the tree: "cold"
without bytecode, as on a fresh runner, and "warm" with it. Machines differ, so the table begins
with bare starts of both.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from tests.fake_api import FakeApi, recording
from tests.runner import Runner
from tests.runner.checkout import check_out
from tests.runner.runner import StageResult

LOGINS = "0,1,3,7"
STATES = ("cold", "warm")
SHIPPED = ("action.yml", "main.py", "post.py", "lib")
INPUTS = {
    "api_key": "rca_YmVuY2hcmstbm90LWEtc2VjcmV0",
    "server_id": "5f0c8a1e-3d52-4b7e-9c1a-2e6f7d8b9a10",
    "credential_id": "c2a4e6f8-1b3d-4f5a-8c7e-9d0b1a2c3e4f",
}


class Bench:
    """Samples of each kind of run.

    Args:
        folder: Where copies of the tree and the files of jobs go.
        logins: Seconds that each login takes on the server.
    """

    def __init__(self, folder: Path, logins: list[int]) -> None:
        self._folder = folder
        self._logins = logins
        self._python = Path(sys.base_prefix) / "bin" / "python3"
        self._jobs = 0
        self._seconds: dict[tuple[str, str], list[float]] = defaultdict(list)
        self._requests: dict[str, set[int]] = defaultdict(set)
        for state in STATES:
            check_out(folder / state, *SHIPPED)
        # The launcher's -B keeps Python from writing bytecode, but not from reading it.
        compiling = [str(self._python), "-m", "compileall", "-q", str(folder / "warm")]
        subprocess.run(compiling, check=True, env={})

    def sample(self) -> None:
        """Take one sample of each kind."""
        for state in STATES:
            self._start("bare Node", state, "node", "-e", "")
            self._start("bare Python", state, str(self._python), "-BsS", "-c", "")
            for login in self._logins:
                with FakeApi([_recording(login)], endless=True) as api:
                    self._job(api, state, login)
            with FakeApi([_recording(0)], endless=True) as api:
                self._job(api, state, None)

    def rows(self) -> list[str]:
        """Return the rows of the table, in the order of the first samples."""
        names = dict.fromkeys(name for name, _ in self._seconds)
        return [
            f"| {name} | {self._counts(name)} "
            + "".join(f"| {_spread(self._seconds[name, state])} " for state in STATES)
            + "|"
            for name in names
        ]

    def _job(self, api: FakeApi, state: str, login: int | None) -> None:
        """Run main and post; without a login time, measure a post that has nothing to do."""
        self._jobs += 1
        runner = Runner(
            self._folder / f"job-{self._jobs}",
            {**INPUTS, "api_url": api.url, "cleanup": str(login is not None).lower()},
            action=self._folder / state,
            environment={"pythonLocation": str(self._python.parent.parent)},
        )
        main, post = _seconds(runner.main), _seconds(runner.post)
        if login is None:
            self._seconds["post, cleanup: false", state].append(post)
            return
        name = f"main, login of {login} s"
        self._seconds[name, state].append(main - login)
        self._requests[name].add(len(api.requests))
        self._seconds["post, logout", state].append(post)

    def _start(self, name: str, state: str, *command: str) -> None:
        start = time.perf_counter()
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        self._seconds[name, state].append(time.perf_counter() - start)

    def _counts(self, name: str) -> str:
        found = sorted(self._requests[name])
        return " to ".join(str(count) for count in dict.fromkeys([*found[:1], *found[-1:]]))


def _recording(login: int) -> recording.Recording:
    path = recording.RECORDINGS / "slow-login.json"
    data = json.loads(path.read_text("utf-8"))
    data["exchanges"][1]["responses"][0]["lasts"] = {"seconds": login}
    return recording.parse(path.stem, data)


def _seconds(stage: Callable[[], StageResult]) -> float:
    start = time.perf_counter()
    result = stage()
    seconds = time.perf_counter() - start
    if result.exit_code:
        raise SystemExit(f"bench: a stage failed:\n{result.output}")
    return seconds


def _spread(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.3f} ({min(seconds):.3f} to {max(seconds):.3f})"


def main() -> int:
    """Take the samples and print the table."""
    parser = argparse.ArgumentParser(description="Measure whole runs of main and post.")
    parser.add_argument("--rounds", type=int, default=7, help="samples of each (%(default)s)")
    parser.add_argument("--logins", default=LOGINS, help="their durations (%(default)s s)")
    options = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), [int(seconds) for seconds in options.logins.split(",")])
        for number in range(options.rounds):
            print(f"Round {number + 1} of {options.rounds}", file=sys.stderr)
            bench.sample()
    print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()},")
    print(
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}. Seconds: median (least to most),"
    )
    print("of main without the login's own duration.\n")
    print("| run | requests per job | cold | warm |\n|---|---|---|---|")
    print("\n".join(bench.rows()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
