"""When to try again and when to ask again. The only module that imports `backoff`.

Two schedules say how long to wait; `backoff` runs them. It would sleep by `time.sleep`,
which neither a cancel nor a test could reach, so each schedule's sleep happens on our clock
and `backoff` is told to wait no longer.

`backoff` brings asyncio with it, so it is imported after a first try that was not enough.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any, Generic, TypeVar

from lib.clock import Clock, Deadline
from lib.errors import ApiError, ProtocolError, Refusal
from lib.process import Cancelled

T = TypeVar("T")
_Waits = Callable[[], Generator[float, Any, None]]

ATTEMPTS = 5
FIRST_RETRY_SECONDS = 0.5
LONGEST_RETRY_SECONDS = 4.0
# Who has been refused for long shares the key with many, and makes room for those who have not:
# it may wait for so much of the time so far, and of the time that is left.
PATIENCE_SHARE = 0.2
PATIENCE_LEFT_SHARE = 0.1

FIRST_POLL_SECONDS = 0.25
LONGEST_POLL_SECONDS = 5.0
POLL_GROWTH = 1.5
# With these two an operation's end is seen at most 0.5 s and a third of its duration late.
POLL_LAG_SECONDS = 0.4
POLL_LAG_SHARE = 0.3
POLL_JITTER = 0.05
# What is kept of the time, so that the last request can be answered in it.
LAST_TRY_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What became of a request in the end.

    `lost` tells whether an earlier try of it may have been acted on as well.
    """

    answer: T
    lost: bool


class RetrySchedule:
    """How long to wait after a request that failed.

    Full jitter below a limit that doubles. A server that is only busy is given the time it
    asks for, as often as the deadline allows, and more the longer it has been busy; other faults
    only a number of attempts. So are answers that are not the API's, whatever is asked:
    somebody else's stay what they are.

    Args:
        deadline: No wait reaches it.
        attempts: How many attempts other faults are given; None for as many as fit.
    """

    def __init__(self, deadline: Deadline, attempts: int | None) -> None:
        self._deadline = deadline
        self._start = deadline.elapsed()
        self._attempts = attempts
        self._faults = 0
        self._strange = 0
        self._limits = _limits()

    def wait(self, error: ApiError) -> float | None:
        """Give the seconds to wait before the next attempt, or None to give up."""
        refusal = error if isinstance(error, Refusal) else None
        asked = (refusal and refusal.retry_after) or 0.0
        is_busy = refusal is not None and refusal.asks_for_patience
        self._faults += not is_busy
        self._strange += isinstance(error, ProtocolError)
        left = self._deadline.remaining() - LAST_TRY_SECONDS
        is_enough = self._faults == self._attempts or self._strange == ATTEMPTS
        if is_enough or asked >= left:
            return None
        limit = max(next(self._limits), self._patience(left) - asked if is_busy else 0.0)
        return min(asked + _full_jitter(limit), left)

    def _patience(self, left: float) -> float:
        waited = self._deadline.elapsed() - self._start
        return min(PATIENCE_SHARE * waited, PATIENCE_LEFT_SHARE * left)


class PollSchedule:
    """How long to wait before asking again about an operation that is still going.

    The waits grow by half. They stay below a share of the time waited so far, so that the
    end of a short login is seen soon, and that of a long one with few requests.

    Args:
        deadline: Polling began with it, and ends before it.
    """

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._start = deadline.elapsed()
        self._growing = FIRST_POLL_SECONDS

    def wait(self, _operation: object) -> float | None:
        """Give the seconds to wait before the next poll, or None when time is over."""
        left = self._deadline.remaining() - LAST_TRY_SECONDS
        if left <= 0:
            return None
        elapsed = self._deadline.elapsed() - self._start
        seconds = min(
            self._growing, POLL_LAG_SECONDS + POLL_LAG_SHARE * elapsed, LONGEST_POLL_SECONDS
        )
        self._growing *= POLL_GROWTH
        return min(seconds * random.uniform(1 - POLL_JITTER, 1), left)  # noqa: S311 no secret


def retry(
    send: Callable[[], T],
    *,
    deadline: Deadline,
    attempts: int | None,
    clock: Clock,
    on_retry: Callable[[ApiError, float], None],
) -> Outcome[T]:
    """Send a request until it is answered, or until trying again makes no sense.

    Args:
        send: Makes one attempt.
        deadline: Bounds all attempts together.
        attempts: How many attempts faults other than a busy server are given.
        clock: What the waits are slept on.
        on_retry: Told of each error that is followed by another attempt, and the wait before it.

    Raises:
        ApiError: the last attempt's error. It knows how many attempts there were, and
            whether any of them may have reached the API.
        Cancelled: while it waited for the next attempt; it knows the latter too.
    """
    schedule = RetrySchedule(deadline, attempts)
    faults: list[ApiError] = []

    def wait(error: ApiError) -> float | None:
        seconds = schedule.wait(error)
        if seconds is not None:
            faults.append(error)
            on_retry(error, seconds)
        return seconds

    try:
        answer = _send(send, _on_clock(wait, clock))
    except ApiError as error:
        error.attempts = len(faults) + 1
        error.lost = error.lost or any(fault.lost for fault in faults)
        raise
    except Cancelled as cancelled:
        cancelled.lost = any(fault.lost for fault in faults)
        raise
    return Outcome(answer, lost=any(fault.lost for fault in faults))


def poll(
    ask: Callable[[], T], *, until: Callable[[T], bool], deadline: Deadline, clock: Clock
) -> T:
    """Ask, at once and then again and again, until an answer will do or time is over.

    Args:
        ask: Asks once.
        until: Tells whether an answer will do.
        deadline: When to stop asking.
        clock: What the waits are slept on.

    Returns:
        The last answer, whether it will do or not.
    """
    waits = _on_clock(PollSchedule(deadline).wait, clock)
    answer = ask()
    if until(answer):
        return answer
    import backoff

    decorate = backoff.on_predicate(
        waits, lambda answer: not until(answer), jitter=None, logger=None
    )
    return decorate(_one_after(lambda: answer, ask))()


def _send(send: Callable[[], T], waits: _Waits) -> T:
    """Send, and again after each wait while it fails for a reason that may pass."""
    try:
        return send()
    except ApiError as error:
        if not error.transient:
            raise
        first = error
    import backoff

    def fail() -> T:
        raise first

    decorate = backoff.on_exception(waits, ApiError, giveup=_is_final, jitter=None, logger=None)
    return decorate(_one_after(fail, send))()


def _one_after(first: Callable[[], T], others: Callable[[], T]) -> Callable[[], T]:
    """Give a function that does the one at its first call, and the other at all further ones.

    So backoff, which makes every try itself, begins with the outcome of one that was made.
    """
    calls = chain([first], repeat(others))

    def call() -> T:
        return next(calls)()

    return call


def _is_final(error: Exception) -> bool:
    return not (isinstance(error, ApiError) and error.transient)


def _limits() -> Iterator[float]:
    """Give limits that double, from the first to the longest."""
    import backoff

    limits = backoff.expo(factor=FIRST_RETRY_SECONDS, max_value=LONGEST_RETRY_SECONDS)
    next(limits)  # backoff's generators begin with one empty yield
    while True:
        yield next(limits)


def _full_jitter(limit: float) -> float:
    import backoff

    return backoff.full_jitter(limit)


def _on_clock(wait: Callable[[Any], float | None], clock: Clock) -> _Waits:
    """Turn a schedule into what backoff wants: a generator that is sent each outcome."""

    def waits() -> Generator[float, Any, None]:
        outcome = yield 0.0
        while (seconds := wait(outcome)) is not None:
            clock.sleep(seconds)
            outcome = yield 0.0

    return waits
