"""When to retry a request and when to poll. The only module that imports `backoff`.

Its decorators sleep where neither a cancellation nor a test can reach, and fail on Python 3.16.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from lib.cancellation import Canceled
from lib.deadline import Clock, Deadline
from lib.errors import ApiError, InvalidResponse

T = TypeVar("T")

ATTEMPTS = 5
FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 0.5, 4.0
FIRST_POLL_SECONDS = 0.3
SHORTEST_INTERVAL_SECONDS, LONGEST_INTERVAL_SECONDS = 0.5, 5.0
INTERVAL_SHARE, INTERVAL_JITTER = 0.1, 0.05  # of the time waited so far, and of the interval
LAST_REQUEST_SECONDS = 0.5  # kept before the deadline, for the last request's response


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often and how soon to retry."""

    attempts: int | None  # without those that the API throttled; None: up to the deadline
    shortest_wait: float = 0.0  # in seconds, between two attempts


CHANGE = RetryPolicy(attempts=ATTEMPTS)  # a login or a logout
POLL = RetryPolicy(attempts=None, shortest_wait=0.4)


def call_with_retries(
    send: Callable[[], T],
    *,
    policy: RetryPolicy,
    deadline: Deadline,
    clock: Clock,
    on_retry: Callable[[ApiError, float, int], None],
) -> tuple[T, bool]:
    """Call `send` until it succeeds, fails permanently, or runs out of attempts or time.

    Returns its value, and whether the API may have processed an earlier attempt as well. Calls
    `on_retry` with the error, the seconds to wait and the number of the next attempt. Raises
    the last `ApiError` or `Canceled` anew, with whether any attempt may have been processed.
    """
    waits, seconds, maybe_processed = _waits(), 0.0, False
    attempts = failures = invalid = 0
    while True:
        attempts += 1
        try:
            if seconds:
                clock.sleep(seconds)
            return send(), maybe_processed
        except Canceled as canceled:
            maybe_processed = maybe_processed or canceled.maybe_processed
            raise Canceled(maybe_processed=maybe_processed) from canceled
        except ApiError as error:
            maybe_processed = maybe_processed or error.maybe_processed
            failures += not error.is_throttled
            invalid += isinstance(error, InvalidResponse)
            is_final = not error.retryable or failures == policy.attempts or invalid == ATTEMPTS
            wait = None if is_final else _seconds_to_wait(error, waits, deadline)
            if wait is None:
                raise replace(error, attempts=attempts, maybe_processed=maybe_processed) from error
            seconds = max(wait, policy.shortest_wait)
            on_retry(error, seconds, attempts + 1)


def polls(deadline: Deadline, clock: Clock, first_seconds: float) -> Iterator[None]:
    """Sleep for growing intervals, and yield after each one, until there is no time to poll."""
    start = deadline.elapsed()
    interval, shortest = first_seconds, 0.0
    while (left := deadline.remaining() - LAST_REQUEST_SECONDS) >= shortest:
        clock.sleep(min(interval * random.uniform(1, 1 + INTERVAL_JITTER), left))  # noqa: S311
        yield
        shortest = POLL.shortest_wait
        interval = max(INTERVAL_SHARE * (deadline.elapsed() - start), SHORTEST_INTERVAL_SECONDS)
        interval = min(interval, LONGEST_INTERVAL_SECONDS)


def _seconds_to_wait(error: ApiError, waits: Iterator[float], deadline: Deadline) -> float | None:
    """Return the seconds to wait before the next attempt, or None if there is no time for one."""
    requested = error.retry_after or 0.0
    left = deadline.remaining() - LAST_REQUEST_SECONDS
    return None if requested >= left else min(requested + next(waits), left)


def _waits() -> Iterator[float]:
    """Yield waits with exponential backoff and full jitter: clients must not retry in step."""
    # Imported after the first failure, because backoff imports asyncio.
    import backoff  # noqa: PLC0415

    limits = backoff.expo(factor=FIRST_RETRY_SECONDS, max_value=LONGEST_RETRY_SECONDS)
    next(limits)  # the generator yields None first
    yield from map(backoff.full_jitter, limits)
