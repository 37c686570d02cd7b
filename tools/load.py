"""Simulation of many jobs that share one rate-limited API key.

    python -m tools.load              256 jobs, the most that a matrix has
    python -m tools.load 30 60 100    a row for each of three numbers of jobs

Each job logs in, works and logs out with the action's own client and retries. Network, API and
time are simulated, so a run takes seconds and always has the same result.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
from collections import Counter, deque
from functools import partial

from lib.api.client import Client
from lib.api.models import LogoutRequest, VaultLogin
from lib.api.transport import Response
from lib.deadline import Clock, Deadline
from lib.errors import ActionError
from lib.inputs import DEFAULT_TIMEOUT_SECONDS
from lib.logout import POST_SECONDS
from lib.runner.environment import Environment
from tests.scheduler import Scheduler

# Seconds: one way to the API, docker on the server, a job's other steps, the start of all jobs.
NETWORK, LOGIN, LOGOUT, WORK, START = 0.05, 2.0, 0.5, (30.0, 90.0), 2.0
REGISTRY = "ghcr.io"
COLUMNS = "jobs", "requests per job", "last login (s)", "429s", "failed logins", "failed logouts"


class SimulatedClock(Clock):
    """Simulated clock of all jobs."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    def now(self) -> float:
        """Return the simulated seconds since the start."""
        return self._scheduler.now

    def sleep(self, seconds: float) -> None:
        """Let other jobs run until the simulated time has passed."""
        self._scheduler.sleep(seconds)


class Api:
    """API with a limit of requests in any second, of which throttled ones do not count."""

    def __init__(self, clock: Clock, limit: int) -> None:
        self._clock = clock
        self._accepted: deque[float] = deque([-1.0] * limit, limit)
        self._ends: list[float] = []
        self.seen: Counter[str] = Counter()

    def send(self, method: str, path: str, body: object, *, deadlines: object) -> Response:  # noqa: ARG002
        """Send one request and return its response, as the transport does."""
        self._clock.sleep(NETWORK)
        self.seen["requests"] += 1
        wait = self._accepted[0] + 1 - self._clock.now()
        if wait > 0:
            self.seen["429s"] += 1
            response = Response(status=429, body=b"{}", retry_after=math.ceil(wait))
        else:
            self._accepted.append(self._clock.now())
            response = Response(status=200, body=self._respond(method, path))
        self._clock.sleep(NETWORK)
        return response

    def _respond(self, method: str, path: str) -> bytes:
        number = int(path.rpartition("-")[2]) if method == "GET" else len(self._ends)
        if method == "POST":
            self._ends.append(self._clock.now() + (LOGOUT if path.endswith("logout") else LOGIN))
        is_done = self._clock.now() >= self._ends[number]
        result = {"status": "completed", "result": {"exit_code": 0}} if is_done else {}
        names = {"operation_id": f"operation-{number}", "registry_url": REGISTRY}
        return json.dumps({"status": "running", **names, **result}).encode()


def run_job(api: Api, clock: Clock) -> None:
    """Log in, work and log out, as main, the job's other steps and post do."""
    context, drop = Environment({}).run_context(), lambda _line: None
    client = Client(api, context, clock, info=drop, debug=drop)
    stage = "failed logins"
    try:
        clock.sleep(random.uniform(0, START))  # noqa: S311 no secret
        deadline = Deadline(clock, DEFAULT_TIMEOUT_SECONDS)
        login = client.log_in(VaultLogin(server_id="s", credential_id="c"), deadline)
        client.wait_for(login.operation_id, deadline, purpose="login")
        api.seen["last login (s)"] = math.ceil(clock.now())
        clock.sleep(random.uniform(*WORK))  # noqa: S311 no secret
        stage = "failed logouts"
        deadline = Deadline(clock, POST_SECONDS)
        logout = client.log_out(LogoutRequest(server_id="s", registry_url=REGISTRY), deadline)
        client.wait_for(logout.operation_id, deadline, purpose="logout")
    except ActionError:
        api.seen[stage] += 1


def main() -> int:
    """Print a row for each number of jobs."""
    parser = argparse.ArgumentParser(description="Simulate many jobs that share one API key.")
    parser.add_argument("jobs", type=int, nargs="*", default=[256], help="number of jobs (256)")
    parser.add_argument("--limit", type=int, default=15, help="requests a second (%(default)s)")
    options = parser.parse_args()
    print(f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|")
    for jobs in options.jobs:
        random.seed(jobs)
        scheduler = Scheduler()
        clock = SimulatedClock(scheduler)
        api = Api(clock, options.limit)
        for number in range(jobs):
            scheduler.spawn(str(number), partial(run_job, api, clock))
        scheduler.run_actors()
        cells = [jobs, round(api.seen["requests"] / jobs, 1), *map(api.seen.get, COLUMNS[2:])]
        print(f"| {' | '.join(str(cell or 0) for cell in cells)} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
