"""Tests of lib.api.retry."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from lib.api import retry
from lib.api.retry import CHANGE, POLL, RetryPolicy
from lib.deadline import Deadline
from lib.errors import ApiError, InvalidResponse, StatusError, TransportError
from lib.hints import Hint
from tests.unit.fake_clock import FakeClock

HINT = Hint("Fix it.", "anchor")
UNLIMITED = RetryPolicy(attempts=None)
INVALID = InvalidResponse("Failed", hint=HINT, retryable=True)
SENT = TransportError("Failed", hint=HINT, retryable=True, maybe_processed=True)
THROTTLED = StatusError("Failed", hint=HINT, status=429, retryable=True, maybe_processed=False)
UNAVAILABLE = replace(THROTTLED, status=503, maybe_processed=True)


def call(
    *outcomes: ApiError | str,
    policy: RetryPolicy = CHANGE,
    seconds: float = 300,
    clock: FakeClock | None = None,
) -> tuple[str, bool]:
    """Call with retries; each attempt has the next outcome."""
    clock, left = clock or FakeClock(), iter(outcomes)

    def send() -> str:
        outcome = next(left)
        if isinstance(outcome, ApiError):
            raise outcome
        return outcome

    deadline = Deadline(clock, seconds)
    return retry.call_with_retries(
        send, policy=policy, deadline=deadline, clock=clock, on_retry=lambda *_: None
    )


def fail(*outcomes: ApiError, **options: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        call(*outcomes, **options)
    return caught.value


def test_fifth_failure_of_a_change_is_final() -> None:
    throttled = [THROTTLED, replace(UNAVAILABLE, retry_after=1)] * 4
    for error, policy in ((SENT, CHANGE), (UNAVAILABLE, CHANGE), (INVALID, POLL)):
        others = throttled if policy is CHANGE else [SENT] * 8
        assert call(*others, *[error] * 4, "yes", policy=policy)[0] == "yes"
        final = fail(*others, *[error] * 5, policy=policy)
        assert (type(final), final.attempts, final.__cause__) == (type(error), 13, error)


def waits(policy: RetryPolicy, error: ApiError) -> list[list[float]]:
    """Return the first seven waits of each of 200 calls that fail as often."""
    random.seed(1)
    clocks = [FakeClock() for _ in range(200)]
    for clock in clocks:
        call(*[error] * 7, "yes", policy=policy, seconds=999, clock=clock)
    return [clock.sleeps for clock in clocks]


def test_waits_are_random_below_a_limit_that_doubles() -> None:
    columns = zip(*waits(UNLIMITED, SENT), strict=True)
    for limit, column in zip([0.5, 1, 2, 4, 4, 4, 4], columns, strict=True):
        assert 0 <= min(column) < 0.1 * limit
        assert 0.9 * limit < max(column) <= limit
    assert min(map(min, waits(POLL, SENT))) == 0.4


def test_retry_after_is_a_minimum_within_the_deadline() -> None:
    first = [found[0] for found in waits(UNLIMITED, replace(THROTTLED, retry_after=30))]
    assert (30 <= min(first) < 30.1, 30.4 < max(first) <= 30.5) == (True, True)
    for wait in (0, 59):  # half a second is left for the last attempt
        throttled, clock = replace(UNAVAILABLE, retry_after=wait), FakeClock()
        assert fail(throttled, seconds=wait + 0.5).attempts == 1
        call(throttled, "yes", seconds=wait + 0.6, clock=clock)
        assert wait <= clock.sleeps[0] <= wait + 0.1 + 1e-9


def poll_times(seconds: float, before: float = 0, first: float = 0.3) -> list[float]:
    """Return when an operation is polled that does not end before the deadline."""
    clock = FakeClock()
    deadline = Deadline(clock, seconds + before + 1e-9)
    clock.sleep(before)
    return [deadline.elapsed() - before for _ in retry.polls(deadline, clock, first)]


def test_polling_interval_is_a_tenth_of_the_time_waited() -> None:
    random.seed(1)
    ratios: list[float] = []
    for _ in range(200):
        times = poll_times(100, 50)
        ratios.append(times[0] / 0.3)
        ratios += [(b - a) / min(max(0.5, a / 10), 5) for a, b in pairwise(times[:-1])]
        assert 99.1 < times[-1] < 99.5 + 1e-6  # no poll 0.4 s after another one fits in
    assert 1 - 1e-9 <= min(ratios) < 1.001
    assert 1.049 < max(ratios) <= 1.05 + 1e-9


def test_polls_fit_before_the_deadline() -> None:
    counts = {0.49: 0, 0.5: 1, 0.89: 1, 0.9: 2}
    assert {seconds: len(poll_times(seconds, first=0.0)) for seconds in counts} == counts
