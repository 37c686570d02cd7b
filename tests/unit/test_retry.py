"""Tests of lib.api.retry."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

import pytest

from lib.api import retry
from lib.api.retry import CHANGE, POLL, Outcome, RetryPolicy
from lib.cancellation import Canceled
from lib.deadline import Deadline
from lib.errors import ApiError, InvalidResponse, StatusError, TransportError
from lib.hints import Hint
from tests.unit.fakes import FakeClock

HINT = Hint("Fix it.", "anchor")
UNLIMITED = RetryPolicy(attempts=None)
INVALID = InvalidResponse("Failed", hint=HINT, retryable=True)
SENT = TransportError("Failed", hint=HINT, retryable=True, maybe_processed=True)
NOT_SENT = TransportError("Failed", hint=HINT, retryable=True, maybe_processed=False)


def status(number: int, retry_after: float | None = None) -> StatusError:
    error = StatusError("Failed", hint=HINT, status=number, retry_after=retry_after)
    retryable = number in {429, 502, 503}
    return replace(error, retryable=retryable, maybe_processed=number >= 500)


class Call:
    """Call with retries. Each attempt has the next outcome; the last one repeats."""

    def __init__(
        self,
        *outcomes: BaseException | str,
        policy: RetryPolicy = CHANGE,
        seconds: float = 300,
        canceled: bool = False,
        seed: int = 0,
    ) -> None:
        self.clock = FakeClock(canceled=canceled)
        self.deadline = Deadline(self.clock, seconds)
        self.retries: list[tuple[ApiError, float, int]] = []
        self._outcomes = list(outcomes)
        self._policy = policy
        random.seed(seed)

    def run(self) -> Outcome[str]:
        """Make the call."""
        return retry.call_with_retries(
            self._send,
            policy=self._policy,
            deadline=self.deadline,
            clock=self.clock,
            on_retry=lambda *seen: self.retries.append(seen),
        )

    def fail(self) -> ApiError:
        """Make the call, and return the error that it raises."""
        with pytest.raises(ApiError) as caught:
            self.run()
        return caught.value

    def _send(self) -> str:
        outcome = self._outcomes.pop(0) if self._outcomes[1:] else self._outcomes[0]
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


def test_retry_is_announced_with_its_wait_and_number() -> None:
    call = Call(NOT_SENT, SENT, "yes", "never sent")
    assert call.run() == Outcome("yes", attempts=3, maybe_processed=True)
    assert [(error, number) for error, _, number in call.retries] == [(NOT_SENT, 2), (SENT, 3)]
    assert [seconds for _, seconds, _ in call.retries] == call.clock.sleeps


def test_final_error_is_not_retried() -> None:
    error = Call(status(403), "never sent").fail()
    assert (error.attempts, error.maybe_processed) == (1, False)
    with pytest.raises(KeyError):
        Call(KeyError(), "never sent").run()


@pytest.mark.parametrize("error", [SENT, status(503), INVALID])
def test_fifth_failure_of_a_change_is_final(error: ApiError) -> None:
    assert Call(*[error] * 4, "yes").run().attempts == 5
    call = Call(*[error] * 5, "never sent")
    final = call.fail()
    assert (type(final), final.attempts, final.__cause__) == (type(error), 5, error)
    assert (error.attempts, len(call.retries)) == (1, 4)


@pytest.mark.parametrize(("error", "policy"), [(status(429), CHANGE), (SENT, POLL)])
def test_throttled_request_and_poll_are_retried_until_deadline(
    error: ApiError, policy: RetryPolicy
) -> None:
    for seed in range(50):
        call = Call(error, policy=policy, seconds=60, seed=seed)
        assert call.fail().attempts > 10
        assert 0 < call.deadline.remaining() <= 0.5


def test_throttled_attempts_do_not_count_as_failures() -> None:
    throttled = [status(429), status(429, 1), status(503, 1)] * 4
    assert Call(*throttled, *[SENT] * 4, "yes").run().attempts == 17
    assert Call(*throttled, *[SENT] * 5, "never sent").fail().attempts == 17


@pytest.mark.parametrize("others", [0, 1, 5])
def test_fifth_invalid_response_to_a_poll_is_final(others: int) -> None:
    faults = [status(502)] * others
    assert Call(*faults, *[INVALID] * 4, "yes", policy=POLL).run().response == "yes"
    error = Call(*faults, *[INVALID] * 5, "never sent", policy=POLL).fail()
    assert (type(error), error.attempts) == (InvalidResponse, others + 5)


@pytest.mark.parametrize(("first", "sent"), [(SENT, True), (NOT_SENT, False)])
def test_earlier_attempt_that_may_be_processed_is_remembered(
    first: ApiError, *, sent: bool
) -> None:
    assert Call(first, "yes").run().maybe_processed is sent
    assert Call(first, status(403)).fail().maybe_processed is sent
    assert Call(first, status(429), "yes").run().maybe_processed is sent
    for canceled, expected in (
        (Call(first, Canceled()), sent),
        (Call(first, "too late", canceled=True), sent),
        (Call(first, Canceled(maybe_processed=True)), True),
    ):
        with pytest.raises(Canceled) as caught:
            canceled.run()
        assert caught.value.maybe_processed is expected


def waits(policy: RetryPolicy, error: ApiError) -> list[list[float]]:
    """Return the first seven waits of each of 200 calls that fail as often."""
    found: list[list[float]] = []
    for seed in range(200):
        call = Call(*[error] * 7, "yes", policy=policy, seconds=999, seed=seed)
        call.run()
        found.append(call.clock.sleeps)
    return found


def test_waits_are_random_below_a_limit_that_doubles() -> None:
    columns = zip(*waits(UNLIMITED, SENT), strict=True)
    for limit, column in zip([0.5, 1, 2, 4, 4, 4, 4], columns, strict=True):
        assert 0 <= min(column) < 0.1 * limit
        assert 0.9 * limit < max(column) <= limit


def test_polls_are_at_least_400_ms_apart() -> None:
    assert min(map(min, waits(POLL, SENT))) == 0.4
    assert UNLIMITED.shortest_wait == CHANGE.shortest_wait == 0


def test_retry_after_is_a_minimum_within_the_deadline() -> None:
    first = [found[0] for found in waits(UNLIMITED, status(429, 30.0))]
    assert 30 <= min(first) < 30.1
    assert 30.4 < max(first) <= 30.5
    assert Call(status(502, 59.5), "never sent", seconds=60).fail().attempts == 1
    call = Call(status(502, 59.4), "yes", seconds=60)
    assert call.run().attempts == 2
    assert 59.4 <= call.clock.sleeps[0] <= 59.5


def test_half_a_second_is_left_for_the_last_attempt() -> None:
    assert Call(SENT, "never sent", seconds=0.5).fail().attempts == 1
    for seed in range(50):
        call = Call(SENT, "yes", seconds=0.6, seed=seed)
        assert call.run().attempts == 2
        assert call.clock.sleeps[0] <= 0.1 + 1e-9


def poll_times(
    seconds: float, *, before: float = 0.0, last: int = 999, seed: int = 0, **options: float
) -> list[float]:
    """Return when an operation is polled whose last poll has this number."""
    random.seed(seed)
    clock = FakeClock()
    deadline = Deadline(clock, seconds + before + 1e-9)
    clock.sleep(before)
    times: list[float] = []

    def fetch() -> int:
        times.append(deadline.elapsed() - before)
        return len(times)

    found = retry.poll(
        fetch, is_done=lambda number: number == last, deadline=deadline, clock=clock, **options
    )
    assert found == (len(times) or None)
    return times


def test_polling_interval_is_a_tenth_of_the_time_waited() -> None:
    ratios: list[float] = []
    for seed in range(200):
        times = poll_times(100, before=50, seed=seed)
        ratios.append(times[0] / 0.3)
        ratios += [(b - a) / min(max(0.5, a / 10), 5) for a, b in pairwise(times[:-1])]
        assert times[-1] == pytest.approx(99.5)
    assert 1 - 1e-9 <= min(ratios) < 1.001
    assert 1.049 < max(ratios) <= 1.05 + 1e-9


@pytest.mark.parametrize(
    ("seconds", "count"), [(0.0, 0), (0.49, 0), (0.5, 1), (0.89, 1), (0.9, 2), (1.3, 2)]
)
def test_polls_fit_before_the_deadline(seconds: float, count: int) -> None:
    times = poll_times(seconds, first_seconds=0.0)
    assert (len(times), times[:1]) == (count, [0.0][:count])


def test_polling_ends_with_the_final_value() -> None:
    assert len(poll_times(100, last=3)) == 3
