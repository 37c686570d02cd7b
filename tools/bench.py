"""Measure whole runs of main and post, from Node's start to its end, and print a table.

    python -m tools.bench                          7 rounds
    python -m tools.bench --rounds=3 --logins=0    a quick look

Cold means that there is no bytecode, as on a fresh runner; warm, that there is. The fake API is a
process of its own (tools/bench_api.py), and Node and Python are started as a runner starts them
(tests/runner), on copies of the tree. Beside it bare starts of both, since machines differ.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from tests.runner import Runner
from tests.runner.checkout import ROOT, check_out
from tests.runner.runner import RunningStage, StageResult

LOGINS = "0,0.4,1,3,7"
SHIPPED = ("action.yml", "main.py", "post.py", "lib")
INPUTS = {
    "api_key": "rca_YmVuY2hcmstbm90LWEtc2VjcmV0",
    "server_id": "5f0c8a1e-3d52-4b7e-9c1a-2e6f7d8b9a10",
    "credential_id": "c2a4e6f8-1b3d-4f5a-8c7e-9d0b1a2c3e4f",
}
# What main itself may take over the login's own duration, and post in all: such a multiple of
# bare starts of Node and Python, and so many seconds.
MAIN_GOALS = {"cold": 0.40, "warm": 0.30}
POST_FACTOR, POST_SECONDS = 1.5, 0.06

COLUMNS = (
    "",
    "requests",
    "cold: over the login",
    "overshoot",
    "own",
    "goal",
    "warm: over the login",
    "overshoot",
    "own",
    "goal",
)
TOP_IMPORTS = 15
_IMPORT = re.compile(r"^import time: +(\d+) \| +(\d+) \| +([\w.]+)$", re.MULTILINE)
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)

Samples = dict[tuple[str, str], list["Sample"]]


class Sample(NamedTuple):
    """One run of a stage; times in seconds.

    `own` leaves out what was waited for: the login, and from its end to the next poll.
    """

    total: float
    own: float
    late: float
    requests: int


class Api:
    """The fake API as a process of its own.

    Args:
        process: It; a line to it is answered with the requests since the last one.
        url: Its address.
    """

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self._process = process
        self.url = url

    def requests(self) -> list[dict[str, Any]]:
        """Give the requests since this was asked last: when each came, and what for."""
        assert self._process.stdin  # noqa: S101 for mypy
        assert self._process.stdout  # noqa: S101 for mypy
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        found: list[dict[str, Any]] = json.loads(self._process.stdout.readline())
        return found


@contextmanager
def api(login_seconds: float) -> Iterator[Api]:
    """Serve logins that take so long."""
    process = subprocess.Popen(
        [sys.executable, "-B", "-m", "tools.bench_api", str(login_seconds)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout  # noqa: S101 for mypy
        yield Api(process, process.stdout.readline().strip())


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Returns:
        0.
    """
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=7, help="runs of each kind (%(default)s)")
    parser.add_argument("--logins", default=LOGINS, help="how long they take (%(default)s s)")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), [float(seconds) for seconds in options.logins.split(",")])
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds} …", file=sys.stderr)
            bench.round()
        print("\n".join([*bench.table(), "", *bench.imports()]))
    return 0


class Bench:
    """Takes the samples, and tells what they say.

    Args:
        folder: For the copies of the tree, and the jobs' files.
        logins: How many seconds the logins take.
    """

    def __init__(self, folder: Path, logins: Sequence[float]) -> None:
        self._folder = folder
        self._logins = logins
        self._python = Path(sys.base_prefix) / "bin" / "python3"
        self._node = shutil.which("node") or "node"
        self._jobs = 0
        self._samples: Samples = {}
        self._bare: dict[str, list[float]] = {"Node": [], "Python": []}
        self._library: dict[str, list[float]] = {state: [] for state in MAIN_GOALS}
        self._memory: list[dict[str, int]] = []
        for state in MAIN_GOALS:
            check_out(folder / state, *SHIPPED)
        # The launcher's -B keeps Python from writing bytecode, not from using it.
        compiling = [str(self._python), "-m", "compileall", "-q", str(folder / "warm")]
        subprocess.run(compiling, check=True, env={})

    def round(self) -> None:
        """Take one sample of each kind."""
        self._bare["Node"].append(_seconds([self._node, "-e", ""]))
        self._bare["Python"].append(self._run_python("pass"))
        for state, seconds in self._library.items():
            vendored = str(self._folder / state / "lib" / "_vendor")
            program = f"import sys; sys.path.insert(0, {vendored!r}); import requests"
            seconds.append(self._run_python(program))
        for login in self._logins:
            with api(login) as server:
                for state in MAIN_GOALS:
                    self._job(server, login, state)
        with api(0) as server:
            for state in MAIN_GOALS:
                self._idle_post(server, state)

    def table(self) -> Iterator[str]:
        """Give the lines of the table."""
        node, python = (statistics.median(self._bare[name]) for name in ("Node", "Python"))
        yield from (
            *_head(self._node),
            "",
            f"| {' | '.join(COLUMNS)} |",
            "|---" * len(COLUMNS) + "|",
        )
        for name, bare in self._bare.items():
            yield f"| bare {name} | | | | {_spread(bare)} | | | | {_spread(bare)} | |"
        cold, warm = map(_spread, self._library.values())
        yield f"| Python that imports requests | | | | {cold} | | | | {warm} | |"
        for login in self._logins:
            yield self._main_row(login)
        most = POST_FACTOR * (node + python) + POST_SECONDS
        for name in ("post that logs out", "post with nothing to do"):
            yield self._post_row(name, most)
        yield ""
        yield f"Peak memory: Node {self._peak('node')} MiB, Python {self._peak('python')} MiB."

    def imports(self) -> Iterator[str]:
        """Give the lines of a table of main's imports, the dearest first."""
        yield "| main imports (cold) | ms with what it imports | ms itself |"
        yield "|---|---|---|"
        found = _IMPORT.findall(self._telling_main().output)
        dearest = sorted(found, key=lambda entry: -int(entry[1]))[:TOP_IMPORTS]
        for own, together, name in dearest:
            yield f"| {name} | {int(together) / 1000:.1f} | {int(own) / 1000:.1f} |"

    def _run_python(self, program: str) -> float:
        return _seconds([str(self._python), "-BsS", "-Wignore", "-c", program])

    def _job(self, server: Api, login: float, state: str) -> None:
        runner = self._runner(server, state)
        self._take(f"main {login:g}", state, server, runner, login)
        self._take("post that logs out", state, server, runner)

    def _idle_post(self, server: Api, state: str) -> None:
        runner = self._runner(server, state, cleanup="false")
        runner.main()
        self._take("post with nothing to do", state, server, runner)

    def _take(
        self, name: str, state: str, server: Api, runner: Runner, login: float | None = None
    ) -> None:
        server.requests()
        began = time.time()
        running = runner.begin("post" if login is None else "main")
        if login is not None and login >= 3:
            self._look_at_memory(running)
        _check(running.wait())
        ended = time.time()
        sample = _sample(began, ended, server.requests(), login or 0.0)
        self._samples.setdefault((name, state), []).append(sample)

    def _look_at_memory(self, running: RunningStage) -> None:
        time.sleep(1.5)
        self._memory.append(_peaks(running.process.pid))

    def _runner(self, server: Api, state: str, python: Path | None = None, **more: str) -> Runner:
        self._jobs += 1
        location = str(python or self._python.parent.parent)
        return Runner(
            self._folder / f"job-{self._jobs}",
            {**INPUTS, "api_url": server.url, **more},
            action=self._folder / state,
            environment={"pythonLocation": location},
        )

    def _telling_main(self) -> StageResult:
        python = self._folder / "telling" / "bin" / "python3"
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\nexec "{self._python}" -X importtime "$@"\n', "utf-8")
        python.chmod(0o755)
        with api(1) as server:
            return self._runner(server, "cold", python.parent.parent).main()

    def _main_row(self, login: float) -> str:
        sampled = {state: self._samples[f"main {login:g}", state] for state in MAIN_GOALS}
        cells = [f"main over a login of {login:g} s", _requests(sampled)]
        for state, samples in sampled.items():
            cells += [
                _spread([sample.total - login for sample in samples]),
                _spread([sample.late for sample in samples]),
                *_judged([sample.own for sample in samples], MAIN_GOALS[state]),
            ]
        return f"| {' | '.join(cells)} |"

    def _post_row(self, name: str, most: float) -> str:
        sampled = {state: self._samples[name, state] for state in MAIN_GOALS}
        cells = [name, _requests(sampled)]
        for samples in sampled.values():
            cells += ["", "", *_judged([sample.total for sample in samples], most)]
        return f"| {' | '.join(cells)} |"

    def _peak(self, program: str) -> str:
        found = [
            kib / 1024
            for seen in self._memory
            for name, kib in seen.items()
            if name.startswith(program)
        ]
        return f"{max(found):.0f}" if found else "?"


def _head(node: str) -> Iterator[str]:
    """Say what was measured where."""
    yield f"Node {_version(node)}, Python {platform.python_version()}, {_machine()}."
    yield "Seconds: median (least to most). The overshoot is what passes from the login's end to"
    yield "main's. Main's own time is that over the login's, without the wait for the next poll."
    yield f"Post's goal is {POST_FACTOR} times (bare Node + bare Python), and {POST_SECONDS} s."


def _sample(began: float, ended: float, requests: list[dict[str, Any]], login: float) -> Sample:
    """Work out a sample from when a stage began and ended, and what it asked when."""
    total = ended - began
    if not login and not requests:
        return Sample(total, total, 0.0, 0)
    login_end = requests[0]["at"] + login
    polls = [request["at"] for request in requests if request["call"] == "GET"]
    lag = max(0.0, polls[-1] - login_end)
    return Sample(total, total - login - (lag if login else 0.0), ended - login_end, len(requests))


def _check(result: StageResult) -> None:
    if result.exit_code:
        raise SystemExit(f"a stage failed:\n{result.output}")


def _seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return time.perf_counter() - began


def _peaks(session: int) -> dict[str, int]:
    """Give the most memory, in KiB, that each process of a session has had, by its name."""
    found: dict[str, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, AttributeError):  # it has ended meanwhile
            if os.getsid(int(folder.name)) == session:
                found |= _peak(folder)
    return found


def _peak(folder: Path) -> dict[str, int]:
    peak = _PEAK.search((folder / "status").read_text("utf-8"))
    return {(folder / "exe").readlink().name: int(peak[1]) if peak else 0}


def _judged(values: list[float], most: float) -> tuple[str, str]:
    is_met = statistics.median(values) <= most
    return _spread(values), f"{most:.2f} {'met' if is_met else 'missed'}"


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def _requests(sampled: dict[str, list[Sample]]) -> str:
    """Give the least and the most requests of a stage, cold or warm."""
    counts = [sample.requests for samples in sampled.values() for sample in samples]
    least, most = min(counts), max(counts)
    return str(least) if least == most else f"{least} to {most}"


def _version(node: str) -> str:
    said = subprocess.run([node, "--version"], check=True, capture_output=True, text=True)
    return said.stdout.strip().removeprefix("v")


def _machine() -> str:
    load = f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "load unknown"
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {load}"


if __name__ == "__main__":
    sys.exit(main())
