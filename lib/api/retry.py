"""When to retry a request and when to poll. The only module that imports `backoff`.

Of `backoff`, only the wait generators and the jitter are used: its decorators sleep with
`time.sleep`, which neither a cancellation nor a test can reach, and fail on Python 3.16.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from lib.cancellation import Canceled
from lib.deadline import Clock, Deadline
from lib.errors import ApiError, InvalidResponse, StatusError

T = TypeVar("T")

ATTEMPTS = 5
FIRST_RETRY_SECONDS = 0.5
LONGEST_RETRY_SECONDS = 4.0

FIRST_POLL_SECONDS = 0.3
SHORTEST_INTERVAL_SECONDS = 0.5
LONGEST_INTERVAL_SECONDS = 5.0
INTERVAL_SHARE = 0.1
INTERVAL_JITTER = 0.05
# Kept free before the deadline, so that the last request can receive its response.
LAST_REQUEST_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often and how soon to retry.

    Args:
        attempts: Most attempts, not counting those that the API throttled; None for no limit
            but the deadline.
        shortest_wait: Fewest seconds between two attempts.
    """

    attempts: int | None
    shortest_wait: float = 0.0


# A login or a logout, and a poll.
CHANGE = RetryPolicy(attempts=ATTEMPTS)
POLL = RetryPolicy(attempts=None, shortest_wait=0.4)


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """Response to a request, after one or more attempts.

    `maybe_processed` is whether the API may have processed an earlier attempt as well.
    """

    response: T
    attempts: int
    maybe_processed: bool


def call_with_retries(
    send: Callable[[], T],
    *,
    policy: RetryPolicy,
    deadline: Deadline,
    clock: Clock,
    on_retry: Callable[[ApiError, float, int], None],
) -> Outcome[T]:
    """Call `send` until it succeeds, fails permanently, or runs out of attempts or time.

    Args:
        send: Makes one attempt.
        policy: How often and how soon to retry.
        deadline: Time limit for all attempts.
        clock: Clock to sleep on.
        on_retry: Called with the error, the seconds to wait and the number of the next attempt.

    Returns:
        The response, the number of attempts, and whether an earlier attempt may have been
        processed.

    Raises:
        ApiError: the last error, raised anew with the same two facts.
        Canceled: at a checkpoint, with whether an attempt may have been processed.
    """
    limits = _backoff()
    maybe_processed = False
    failures = invalid = 0
    seconds = 0.0
    for attempt in itertools.count(1):
        try:
            if seconds:
                clock.sleep(seconds)
            return Outcome(send(), attempt, maybe_processed)
        except Canceled as canceled:
            maybe_processed = maybe_processed or canceled.maybe_processed
            raise Canceled(maybe_processed=maybe_processed) from canceled
        except ApiError as error:
            maybe_processed = maybe_processed or error.maybe_processed
            failures += not error.is_throttled
            invalid += isinstance(error, InvalidResponse)
            is_final = not error.retryable or failures == policy.attempts or invalid == ATTEMPTS
            wait = None if is_final else _seconds_to_wait(error, limits, deadline)
            if wait is None:
                raise replace(error, attempts=attempt, maybe_processed=maybe_processed) from error
            seconds = max(wait, policy.shortest_wait)
            on_retry(error, seconds, attempt + 1)
    raise AssertionError  # the loop has no other end


def poll(
    fetch: Callable[[], T],
    *,
    is_done: Callable[[T], bool],
    deadline: Deadline,
    clock: Clock,
    first_seconds: float = FIRST_POLL_SECONDS,
) -> T | None:
    """Call `fetch` at growing intervals until its result is done, or until the deadline.

    Args:
        fetch: Fetches the current value.
        is_done: Returns whether a value is final.
        deadline: Time limit.
        clock: Clock to sleep on.
        first_seconds: Seconds before the first call.

    Returns:
        The last value, final or not; None if there was no time for one.
    """
    value: T | None = None
    start = deadline.elapsed()
    interval, shortest = first_seconds, 0.0
    while (left := deadline.remaining() - LAST_REQUEST_SECONDS) >= shortest:
        clock.sleep(min(interval * random.uniform(1, 1 + INTERVAL_JITTER), left))  # noqa: S311
        value = fetch()
        if is_done(value):
            break
        shortest = POLL.shortest_wait
        waited = deadline.elapsed() - start
        interval = min(
            max(INTERVAL_SHARE * waited, SHORTEST_INTERVAL_SECONDS), LONGEST_INTERVAL_SECONDS
        )
    return value


def _seconds_to_wait(error: ApiError, limits: Iterator[float], deadline: Deadline) -> float | None:
    """Return the seconds to wait before the next attempt, or None if there is no time for one."""
    requested = (error.retry_after or 0.0) if isinstance(error, StatusError) else 0.0
    left = deadline.remaining() - LAST_REQUEST_SECONDS
    if requested >= left:
        return None
    return min(requested + _full_jitter(next(limits)), left)


def _backoff() -> Iterator[float]:
    """Return the upper limits of the waits: exponential backoff."""
    # Imported after the first failure, because backoff imports asyncio.
    import backoff  # noqa: PLC0415

    limits = backoff.expo(factor=FIRST_RETRY_SECONDS, max_value=LONGEST_RETRY_SECONDS)
    next(limits)  # the generator yields None first
    yield from limits


def _full_jitter(limit: float) -> float:
    """Return a random wait from 0 to the limit, so that clients do not retry in step."""
    import backoff  # noqa: PLC0415

    return backoff.full_jitter(limit)
