"""Many jobs that share one key of a rate-limited API, on a virtual clock.

    python -m tools.simulate    write tools/SCALE.md and tools/scale.svg

The jobs wait by the action's own schedules (lib.retry) and budgets, not by a copy of them; the
API and the time are made up here. Beside them: a client that polls every 5 s and never tries
again. Runs are seeded, so that they always come to the same end.
"""

from __future__ import annotations

import heapq
import math
import random
import sys
from collections import deque
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from lib.clock import Deadline
from lib.errors import Refusal
from lib.inputs import DEFAULT_TIMEOUT_SECONDS, LONGEST_TIMEOUT_SECONDS
from lib.logout import LOGOUT_SECONDS, POST_SECONDS
from lib.retry import ATTEMPTS, PollSchedule, RetrySchedule
from tools import scale_page

# What is made up: the way to the API and back, docker's work on the server, a job's other steps,
# and how long it takes the runners to begin.
WAY_SECONDS = 0.05
LOGIN_TAKES_SECONDS = 2.0
LOGOUT_TAKES_SECONDS = 0.5
WORK_SECONDS = (30.0, 90.0)
START_SECONDS = 2.0

SIZES = (10, 30, 100, 300, 1_000, 3_000, 10_000)
FIXED_POLL_SECONDS = 5.0
FOLDER = Path(__file__).resolve().parent

# A job under way: it yields the seconds to wait, and goes on when they are over.
Waits = Generator[float, None, None]


class Lost(Exception):
    """A stage gives up."""


class Limit(NamedTuple):
    """How many requests a key is allowed in how many seconds."""

    requests: int
    seconds: int

    def __str__(self) -> str:
        """Tell it to a person."""
        return f"{self.requests} a {'second' if self.seconds == 1 else 'minute'}"


LIMITS = (Limit(15, 1), Limit(60, 60))


class VirtualClock:
    """Time that jumps from one event to the next."""

    def __init__(self) -> None:
        self._now = 0.0
        self._count = 0
        self._queue: list[tuple[float, int, Waits]] = []

    def now(self) -> float:
        """Give the seconds so far."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Be no clock for one who sleeps: jobs yield instead."""
        raise NotImplementedError(seconds)

    def go_on(self, job: Waits, seconds: float) -> None:
        """Let a job go on after so many seconds."""
        self._count += 1  # of two at the same time the earlier request comes first
        heapq.heappush(self._queue, (self._now + seconds, self._count, job))

    def run(self) -> None:
        """Let time pass until all jobs have ended."""
        while self._queue:
            self._now, _, job = heapq.heappop(self._queue)
            seconds = next(job, None)
            if seconds is not None:
                self.go_on(job, seconds)


class Api:
    """Takes so many requests in a window that slides. Refused ones do not count.

    Args:
        clock: What the time is read from.
        limit: The limit of the one key that all jobs have.
    """

    def __init__(self, clock: VirtualClock, limit: Limit) -> None:
        self._clock = clock
        self._limit = limit
        self._taken: deque[float] = deque()
        self.asked = 0
        self.refused = 0

    def refusal(self) -> Refusal | None:
        """Take a request, or refuse it with the whole seconds to wait."""
        self.asked += 1
        now = self._clock.now()
        while self._taken and self._taken[0] <= now - self._limit.seconds:
            self._taken.popleft()
        if len(self._taken) < self._limit.requests:
            self._taken.append(now)
            return None
        self.refused += 1
        wait = math.ceil(self._taken[0] + self._limit.seconds - now)
        return Refusal("Busy", status=429, said="", remedy="", retry_after=wait)


@dataclass(slots=True)
class Result:
    """What became of the jobs."""

    jobs: int
    login_seconds: list[float] = field(default_factory=list)
    not_logged_in: int = 0
    not_logged_out: int = 0
    ended: float = 0.0
    asked: int = 0
    refused: int = 0


class FixedJob:
    """A job of the client that polls every 5 s and gives up at the first refusal.

    Args:
        clock: The time.
        api: What it asks.
        result: Where it tells how it went.
        timeout: Its main's.
    """

    def __init__(self, clock: VirtualClock, api: Api, result: Result, timeout: int) -> None:
        self._timeout = timeout
        self._clock = clock
        self._api = api
        self._result = result

    def run(self) -> Waits:
        """Log in, work, log out."""
        began = self._clock.now()
        deadline = Deadline(self._clock, self._timeout)
        try:
            yield from self.send(deadline, ATTEMPTS)
        except Lost:
            self._result.not_logged_in += 1
            return
        end = self._clock.now() + LOGIN_TAKES_SECONDS
        try:
            yield from self.follow(deadline, end)
        except Lost:
            self._result.not_logged_in += 1
            yield from self._post(unfinished=end)
            return
        self._result.login_seconds.append(self._clock.now() - began)
        yield random.uniform(*WORK_SECONDS)  # noqa: S311 no secret
        yield from self._post()

    def send(self, _deadline: Deadline, _attempts: int | None) -> Waits:
        """Have a request taken.

        Raises:
            Lost: it is not.
        """
        if (yield from self.ask()) is not None:
            raise Lost

    def follow(self, deadline: Deadline, end: float) -> Waits:
        """Poll until an operation's end is seen.

        Raises:
            Lost: it is not seen.
        """
        yield from self.send(deadline, None)
        while self._clock.now() < end:
            yield FIXED_POLL_SECONDS
            yield from self.send(deadline, None)

    def ask(self) -> Generator[float, None, Refusal | None]:
        """Send a request, and give its refusal if it is refused."""
        yield WAY_SECONDS
        refusal = self._api.refusal()
        yield WAY_SECONDS
        return refusal

    def _post(self, unfinished: float | None = None) -> Waits:
        deadline = Deadline(self._clock, POST_SECONDS)
        try:
            if unfinished is not None:
                yield from self._wait_for_login(deadline, unfinished)
            yield from self.send(deadline, ATTEMPTS)
            yield from self.follow(deadline, self._clock.now() + LOGOUT_TAKES_SECONDS)
        except Lost:
            self._result.not_logged_out += 1

    def _wait_for_login(self, deadline: Deadline, end: float) -> Waits:
        try:
            yield from self.follow(deadline.earlier_by(LOGOUT_SECONDS), end)
        except Lost:
            return  # the logout is tried all the same


class Job(FixedJob):
    """A job with this action: the same, with its retries and its polls."""

    def send(self, deadline: Deadline, attempts: int | None) -> Waits:
        """Have a request taken, after as many tries as the action makes.

        Raises:
            Lost: the action gives up.
        """
        schedule = RetrySchedule(deadline, attempts)
        while refusal := (yield from self.ask()):
            yield _wait(schedule.wait(refusal))

    def follow(self, deadline: Deadline, end: float) -> Waits:
        """Poll as the action does until an operation's end is seen.

        Raises:
            Lost: the action gives up.
        """
        schedule = PollSchedule(deadline)
        yield from self.send(deadline, None)
        while self._clock.now() < end:
            yield _wait(schedule.wait(None))
            yield from self.send(deadline, None)


def _wait(seconds: float | None) -> float:
    if seconds is None:
        raise Lost
    return seconds


def simulate(
    jobs: int,
    limit: Limit,
    kind: type[FixedJob] = Job,
    timeout: int = DEFAULT_TIMEOUT_SECONDS,
) -> Result:
    """Let so many jobs begin at about the same time, and run all of them to their end.

    Args:
        jobs: How many.
        limit: The limit of the key that they share.
        kind: What they do.
        timeout: The timeout of main, in seconds.
    """
    random.seed(jobs)
    clock = VirtualClock()
    api = Api(clock, limit)
    result = Result(jobs)
    for _ in range(jobs):
        clock.go_on(kind(clock, api, result, timeout).run(), _start())
    clock.run()
    result.ended, result.asked, result.refused = clock.now(), api.asked, api.refused
    return result


def _start() -> float:
    return random.uniform(0, START_SECONDS)  # noqa: S311 no secret


def row(jobs: int, limit: Limit, timeout: int = DEFAULT_TIMEOUT_SECONDS) -> scale_page.Row:
    """Simulate both kinds of jobs, and give the figures for the page."""
    ours = simulate(jobs, limit, Job, timeout)
    fixed = simulate(jobs, limit, FixedJob, timeout)
    times = sorted(ours.login_seconds)
    return scale_page.Row(
        limit=str(limit),
        jobs=jobs,
        half_in=times[(len(times) - 1) // 2],
        all_in=times[-1],
        ended=ours.ended,
        requests=ours.asked / jobs,
        refused=ours.refused / ours.asked,
        not_logged_in=ours.not_logged_in,
        not_logged_out=ours.not_logged_out,
        fixed_not_logged_in=fixed.not_logged_in,
        fixed_not_logged_out=fixed.not_logged_out,
    )


def rows(sizes: Iterable[int]) -> list[scale_page.Row]:
    """Simulate these numbers of jobs at each limit."""
    sizes = tuple(sizes)
    return [row(jobs, limit) for limit in LIMITS for jobs in sizes]


def main() -> int:
    """Write the page and its picture.

    Returns:
        0.
    """
    found = rows(SIZES)
    patient = row(SIZES[-1], LIMITS[0], LONGEST_TIMEOUT_SECONDS)
    (FOLDER / "SCALE.md").write_text(scale_page.page(found, patient), "utf-8")
    (FOLDER / "scale.svg").write_text(scale_page.picture(found), "utf-8")
    print("Written: tools/SCALE.md and tools/scale.svg")
    return 0


if __name__ == "__main__":
    sys.exit(main())
