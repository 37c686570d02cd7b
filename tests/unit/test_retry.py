"""Tests of lib.api.retry."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest

from lib.api import retry
from lib.api.retry import CHANGE, POLL, Outcome, RetryPolicy
from lib.cancellation import Canceled
from lib.deadline import Deadline
from lib.errors import ApiError, InvalidResponse, StatusError, TransportError
from lib.hints import Hint
from tests.unit.fake_clock import FakeClock

HINT = Hint("Fix it.", "anchor")
SEEDS = range(200)


def fault(*, sent: bool = True) -> TransportError:
    return TransportError("Failed", hint=HINT, retryable=True, maybe_processed=sent)


def status(number: int, retry_after: float | None = None) -> StatusError:
    return StatusError(
        "Failed",
        hint=HINT,
        status=number,
        retry_after=retry_after,
        retryable=number in {429, 502, 503},
        maybe_processed=number >= 500,
    )


def invalid() -> InvalidResponse:
    return InvalidResponse("Failed", hint=HINT, retryable=True)


class Call:
    """One call with retries, and what was seen of it.

    Args:
        outcomes: What each attempt raises or returns; the last one repeats.
        policy: When to retry.
        seconds: Time limit.
        clock: Clock to sleep on.
    """

    def __init__(
        self,
        *outcomes: BaseException | str,
        policy: RetryPolicy = CHANGE,
        seconds: float = 300,
        clock: FakeClock | None = None,
    ) -> None:
        self.clock = clock or FakeClock()
        self.deadline = Deadline(self.clock, seconds)
        self.retries: list[tuple[ApiError, float, int]] = []
        self._outcomes = list(outcomes)
        self._policy = policy

    def run(self) -> Outcome[str]:
        return retry.call_with_retries(
            self._send,
            policy=self._policy,
            deadline=self.deadline,
            clock=self.clock,
            on_retry=lambda *seen: self.retries.append(seen),
        )

    def fail(self) -> ApiError:
        with pytest.raises(ApiError) as caught:
            self.run()
        return caught.value

    def _send(self) -> str:
        outcome = self._outcomes.pop(0) if len(self._outcomes) > 1 else self._outcomes[0]
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


def test_successful_request_is_sent_once() -> None:
    call = Call("yes", "no")
    assert call.run() == Outcome("yes", attempts=1, maybe_processed=False)
    assert (call.retries, call.clock.sleeps) == ([], [])


def test_retry_is_announced_with_its_wait_and_number() -> None:
    first, second = fault(sent=False), status(502)
    call = Call(first, second, "yes")
    assert call.run() == Outcome("yes", attempts=3, maybe_processed=True)
    assert [(error, number) for error, _, number in call.retries] == [(first, 2), (second, 3)]
    assert [seconds for _, seconds, _ in call.retries] == call.clock.sleeps


@pytest.mark.parametrize("number", [302, 403])
def test_final_error_is_not_retried(number: int) -> None:
    error = Call(status(number), "never sent").fail()
    assert isinstance(error, StatusError)
    assert (error.status, error.attempts, error.maybe_processed) == (number, 1, False)


def test_fifth_failure_of_a_change_is_final() -> None:
    faults = [fault() for _ in range(5)]
    assert Call(*faults[:4], "yes").run().attempts == 5
    call = Call(*faults, "never sent")
    error = call.fail()
    assert (type(error), error.attempts) == (TransportError, 5)
    assert error.__cause__ is faults[4]
    assert faults[4].attempts == 1
    assert len(call.retries) == 4


def test_polls_are_retried_until_deadline() -> None:
    call = Call(fault(), policy=POLL, seconds=60)
    error = call.fail()
    assert error.attempts > 10
    assert call.deadline.remaining() <= retry.LAST_REQUEST_SECONDS


def test_rate_limited_request_is_retried_until_deadline() -> None:
    for seed in SEEDS:
        random.seed(seed)
        call = Call(status(429), seconds=60)
        assert call.fail().attempts > 10
        assert call.deadline.remaining() == pytest.approx(0.5)


def test_throttled_attempts_do_not_count_as_failures() -> None:
    throttled = [status(429), status(429, 1), status(503, 1)] * 4
    faults = [fault() for _ in range(4)]
    assert Call(*throttled, *faults, "yes").run().attempts == 17
    assert Call(*throttled, *faults, fault(), "never sent").fail().attempts == 17


def test_503_without_retry_after_counts_as_failure() -> None:
    assert Call(status(503)).fail().attempts == 5


@pytest.mark.parametrize("others", [0, 1, 4, 5, 20])
def test_fifth_invalid_response_to_a_poll_is_final(others: int) -> None:
    faults = [status(502) for _ in range(others)]
    odd = [invalid() for _ in range(5)]
    assert Call(*faults, *odd[:4], "yes", policy=POLL).run().response == "yes"
    error = Call(*faults, *odd, "never sent", policy=POLL).fail()
    assert (type(error), error.attempts) == (InvalidResponse, others + 5)


@pytest.mark.parametrize("sent", [True, False])
def test_earlier_attempt_that_may_be_processed_is_remembered(*, sent: bool) -> None:
    assert Call(fault(sent=sent), status(403)).fail().maybe_processed is sent
    assert Call(fault(sent=sent), "yes").run().maybe_processed is sent
    assert Call(fault(sent=sent), status(429), "yes").run().maybe_processed is sent
    with pytest.raises(Canceled) as caught:
        Call(fault(sent=sent), Canceled(maybe_processed=False)).run()
    assert caught.value.maybe_processed is sent


@pytest.mark.parametrize("sent", [True, False])
def test_cancellation_between_attempts_knows_what_was_sent(*, sent: bool) -> None:
    call = Call(fault(sent=sent), "too late", clock=FakeClock(canceled_at=1000.0))
    with pytest.raises(Canceled) as caught:
        call.run()
    assert caught.value.maybe_processed is sent
    assert call.clock.sleeps == []


def test_cancellation_in_flight_is_not_retried() -> None:
    with pytest.raises(Canceled) as caught:
        Call(Canceled(maybe_processed=True), "never sent").run()
    assert caught.value.maybe_processed


def test_other_exceptions_pass_through() -> None:
    with pytest.raises(KeyError):
        Call(KeyError(), "never sent").run()


def waits(policy: RetryPolicy, error: ApiError, seconds: float = 300) -> list[list[float]]:
    """Return the first seven waits of each of 200 calls that always fail."""
    found: list[list[float]] = []
    for seed in SEEDS:
        random.seed(seed)
        call = Call(*[error] * 7, "yes", policy=policy, seconds=seconds)
        call.run()
        found.append(call.clock.sleeps)
    return found


def test_waits_are_random_below_a_limit_that_doubles() -> None:
    columns = zip(*waits(RetryPolicy(attempts=None), fault()), strict=True)
    for limit, column in zip([0.5, 1, 2, 4, 4, 4, 4], columns, strict=True):
        assert 0 <= min(column) < 0.1 * limit
        assert 0.9 * limit < max(column) <= limit


def test_polls_are_at_least_400_ms_apart() -> None:
    assert min(min(found) for found in waits(POLL, fault())) == 0.4
    assert (POLL.shortest_wait, CHANGE.shortest_wait, CHANGE.attempts) == (0.4, 0, 5)


@pytest.mark.parametrize("number", [429, 502, 503])
def test_retry_after_is_a_minimum(number: int) -> None:
    error = status(number, 30.0)
    first = [found[0] for found in waits(RetryPolicy(attempts=None), error, seconds=3600)]
    assert 30 <= min(first) < 30.1
    assert 30.4 < max(first) <= 30.5


@pytest.mark.parametrize("number", [429, 503, 502])
def test_retry_after_beyond_the_deadline_is_final(number: int) -> None:
    assert Call(status(number, 59.5), "never sent", seconds=60).fail().attempts == 1
    call = Call(status(number, 59.4), "yes", seconds=60)
    assert call.run().attempts == 2
    assert 59.4 <= call.clock.sleeps[0] <= 59.5


def test_half_a_second_is_left_for_the_last_attempt() -> None:
    assert Call(fault(), "never sent", seconds=0.5).fail().attempts == 1
    for seed in SEEDS:
        random.seed(seed)
        call = Call(fault(), "yes", seconds=0.6)
        assert call.run().attempts == 2
        assert call.clock.sleeps[0] <= 0.1 + 1e-9


def poll_times(seconds: float, first_seconds: float = retry.FIRST_POLL_SECONDS) -> list[float]:
    """Return when an operation that never ends is polled."""
    clock = FakeClock()
    deadline = Deadline(clock, seconds)
    times: list[float] = []
    retry.poll(
        lambda: times.append(deadline.elapsed()),
        is_done=lambda _: False,
        deadline=deadline,
        clock=clock,
        first_seconds=first_seconds,
    )
    return times


def test_polling_interval_is_a_tenth_of_the_time_waited() -> None:
    ratios: list[float] = []
    for seed in SEEDS:
        random.seed(seed)
        times = poll_times(100)
        gaps = [(0.3, times[0])]
        gaps += [(min(max(0.5, a / 10), 5), b - a) for a, b in pairwise(times[:-1])]
        ratios += [gap / expected for expected, gap in gaps]
    assert 1 - 1e-9 <= min(ratios) < 1.001
    assert 1.049 < max(ratios) <= 1.05 + 1e-9


def test_interval_counts_from_the_first_poll() -> None:
    """A login that took long to be accepted is polled as often as any other."""
    clock = FakeClock()
    deadline = Deadline(clock, 300)
    clock.sleep(100)
    seen: Iterator[int] = iter(range(4))
    assert poll_until(3, lambda: next(seen), deadline, clock) == 3
    assert clock.sleeps[1] <= 0.3 * 1.05
    assert all(0.5 <= seconds <= 0.525 for seconds in clock.sleeps[2:])
    assert len(clock.sleeps) == 5


def poll_until(
    last: int, fetch: Callable[[], int], deadline: Deadline, clock: FakeClock
) -> int | None:
    return retry.poll(fetch, is_done=lambda value: value == last, deadline=deadline, clock=clock)


@pytest.mark.parametrize(
    ("seconds", "count"), [(0.0, 0), (0.49, 0), (0.5, 1), (0.85, 1), (0.9, 2), (1.3, 2)]
)
def test_polls_fit_before_the_deadline(seconds: float, count: int) -> None:
    times = poll_times(seconds + 1e-9, first_seconds=0.0)
    assert len(times) == count
    assert times[:1] == [0.0][:count]


def test_last_poll_leaves_time_for_its_response() -> None:
    assert poll_times(60)[-1] == pytest.approx(59.5)


def test_poll_without_time_returns_nothing() -> None:
    clock = FakeClock()
    assert poll_until(1, lambda: 1, Deadline(clock, 0.4), clock) is None
    assert poll_until(9, lambda: 1, Deadline(clock, 2), clock) == 1
