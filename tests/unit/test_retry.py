"""When to try again, and when to ask again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest

from lib import retry
from lib.clock import Deadline
from lib.errors import ApiError, ProtocolError, Refusal, Unreachable
from lib.process import Cancelled
from lib.retry import PollSchedule, RetrySchedule
from tests.unit.fake_clock import FakeClock

HOUR = 3600.0
# Every duration up to 20 s in steps of 10 ms, and up to an hour in steps of 7 s.
DURATIONS = [hundredth / 100 for hundredth in range(2000)] + [float(s) for s in range(20, 3600, 7)]


def fault(*, lost: bool = True) -> Unreachable:
    """Make a fault that may pass."""
    return Unreachable("Nobody home", remedy="Ring.", transient=True, lost=lost)


def refusal(status: int, retry_after: float | None = None) -> Refusal:
    """Make a refusal."""
    return Refusal("It said no", status=status, said="", remedy="Ask.", retry_after=retry_after)


def poll_times(timeout: float) -> list[float]:
    """Give when an operation that never ends is asked about."""
    clock = FakeClock()
    deadline = Deadline(clock, timeout)
    times: list[float] = []
    retry.poll(
        lambda: times.append(deadline.elapsed()),
        until=lambda _: False,
        deadline=deadline,
        clock=clock,
    )
    return times


def waits(schedule: RetrySchedule, clock: FakeClock, error: ApiError) -> list[float]:
    """Give the waits of a schedule when the same error comes again and again."""
    found: list[float] = []
    while (seconds := schedule.wait(error)) is not None:
        found.append(seconds)
        clock.sleep(seconds)
        assert len(found) < 10_000
    return found


def answers(*outcomes: ApiError | str) -> Callable[[], str]:
    """Give a function that fails and answers in this order."""
    queue: Iterator[ApiError | str] = iter(outcomes)

    def send() -> str:
        outcome = next(queue)
        if isinstance(outcome, ApiError):
            raise outcome
        return outcome

    return send


def send_all(
    *outcomes: ApiError | str, attempts: int | None = retry.ATTEMPTS, seconds: float = 300
) -> tuple[str, list[float], list[float]]:
    """Send with retries; give the answer, the waits told and the waits slept."""
    clock = FakeClock()
    told: list[float] = []
    outcome = retry.retry(
        answers(*outcomes),
        deadline=Deadline(clock, seconds),
        attempts=attempts,
        clock=clock,
        on_retry=lambda _, wait: told.append(wait),
    )
    return outcome.answer, told, clock.sleeps


@pytest.mark.parametrize("_again", range(20))
def test_the_end_of_an_operation_is_never_seen_much_later(_again: int) -> None:
    """Whatever an operation's duration, its end is seen within 0.5 s and a third of it."""
    times = poll_times(HOUR)
    remaining = iter(times)
    seen = next(remaining)
    for duration in DURATIONS:
        while seen < duration:
            seen = next(remaining)
        assert seen - duration <= 0.5 + duration / 3


@pytest.mark.parametrize("_again", range(20))
def test_polls_are_few(_again: int) -> None:
    """At most 7 polls in the first 5 s; from a quarter of a minute on one every 5 s."""
    times = poll_times(HOUR)
    gaps = [after - before for before, after in pairwise(times)]
    assert times[0] == 0
    assert len([at for at in times if at <= 5]) <= 7
    assert max(gaps) <= 5
    assert min(gap for at, gap in zip(times[:-2], gaps, strict=False) if at >= 16) >= 4.5
    assert gaps[:4] == sorted(gaps[:4])


@pytest.mark.parametrize("_again", range(20))
def test_a_login_takes_few_polls_whatever_its_duration(_again: int) -> None:
    """One if it is done at once, 8 at most for 5 s, and in the end one for each 5 s."""
    times = poll_times(HOUR)
    for duration in DURATIONS:
        polls = 1 + len([at for at in times if at < duration])
        assert polls <= 10 + duration / 4.75
        if duration <= 5:
            assert polls <= 8
    assert times[0] == 0


def test_polls_leave_the_last_one_time_for_its_answer() -> None:
    """The last poll comes half a second before the deadline, not at it."""
    times = poll_times(60)
    assert times[-1] == pytest.approx(59.5)


def test_polls_count_from_their_own_beginning() -> None:
    """A login that took long to be accepted is polled as quickly as any."""
    clock = FakeClock()
    deadline = Deadline(clock, 300)
    clock.sleep(100)
    first = PollSchedule(deadline).wait(None)
    assert first is not None
    assert first <= retry.FIRST_POLL_SECONDS


def test_a_poll_asks_once_where_time_is_over() -> None:
    """Even without time it is asked once, since that may be enough."""
    assert poll_times(0) == [0]


def test_polls_end_with_the_answer_that_will_do() -> None:
    """The first answer that will do is given, and nothing is asked after it."""
    clock = FakeClock()
    found = retry.poll(
        answers("running", "running", "completed", "never asked"),
        until=lambda answer: answer == "completed",
        deadline=Deadline(clock, 300),
        clock=clock,
    )
    assert found == "completed"
    assert len(clock.sleeps) == 2


def test_an_answer_needs_no_retry() -> None:
    """What works at once is neither told nor waited for."""
    assert send_all("yes") == ("yes", [], [])


def test_a_passing_fault_is_tried_again() -> None:
    """The wait that is told is the wait that is slept."""
    answer, told, slept = send_all(fault(), refusal(502), "yes")
    assert answer == "yes"
    assert told == slept
    assert len(slept) == 2


def test_a_final_error_is_not_tried_again() -> None:
    """A 403 is told at once."""
    with pytest.raises(Refusal) as caught:
        send_all(refusal(403), "never sent")
    assert caught.value.attempts == 1


def test_faults_get_five_attempts() -> None:
    """The fifth fault is the last, and says so."""
    with pytest.raises(Unreachable, match="Tried 5 times"):
        send_all(*[fault() for _ in range(5)], "never sent")


def test_polls_get_as_many_attempts_as_fit() -> None:
    """Without a number of attempts only the deadline ends them."""
    assert send_all(*[fault() for _ in range(20)], "yes", attempts=None)[0] == "yes"


def test_a_busy_api_gets_more_than_five_attempts() -> None:
    """Rate limits, and a 503 that says when to come back, do not count as faults."""
    busy = [refusal(429), refusal(429, 1), refusal(503, 1)] * 4
    assert send_all(*busy, *[fault() for _ in range(4)], "yes")[0] == "yes"


def test_a_503_that_asks_for_nothing_is_a_fault() -> None:
    """Without Retry-After a 503 gets five attempts."""
    with pytest.raises(Refusal) as caught:
        send_all(*[refusal(503) for _ in range(5)], "never sent")
    assert caught.value.attempts == 5


def test_a_request_that_may_have_arrived_stays_so() -> None:
    """A refusal after a fault does not make the fault's login undone."""
    with pytest.raises(Refusal) as caught:
        send_all(fault(lost=True), refusal(403))
    assert caught.value.lost
    with pytest.raises(Refusal) as caught:
        send_all(fault(lost=False), refusal(403))
    assert not caught.value.lost


@pytest.mark.parametrize("_again", range(50))
def test_waits_after_faults_stay_below_a_limit_that_doubles(_again: int) -> None:
    """Full jitter: anything from nothing to the limit."""
    clock = FakeClock()
    found = waits(RetrySchedule(Deadline(clock, HOUR), attempts=8), clock, fault())
    limits = [0.5, 1, 2, 4, 4, 4, 4]
    assert all(0 <= wait <= limit for wait, limit in zip(found, limits, strict=True))


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_obeyed(status: int) -> None:
    """It is waited at least as long as asked, and no longer than the jitter more."""
    clock = FakeClock()
    found = waits(RetrySchedule(Deadline(clock, 300), 5), clock, refusal(status, 30))
    assert found
    assert all(30 <= wait <= 30 + retry.LONGEST_RETRY_SECONDS for wait in found)


def busy_waits(asked: float) -> list[tuple[float, float]]:
    """Give each wait while the API is busy for 5 minutes, after the seconds before it."""
    clock = FakeClock()
    deadline = Deadline(clock, 300)
    schedule = RetrySchedule(deadline, 5)
    found: list[tuple[float, float]] = []
    while (seconds := schedule.wait(refusal(429, asked))) is not None:
        found.append((deadline.elapsed(), seconds))
        clock.sleep(seconds)
    return found


@pytest.mark.parametrize("_again", range(20))
def test_who_is_refused_for_long_asks_less_often(_again: int) -> None:
    """Waits stay short for 20 s, and below a fifth of the time so far and a tenth of the rest."""
    for waited, seconds in busy_waits(1)[:-1]:
        left = 300 - waited
        assert 1 <= seconds <= max(5, min(0.2 * waited, 0.1 * left))
    assert max(seconds for _, seconds in busy_waits(1)) > 1 + retry.LONGEST_RETRY_SECONDS


def strange() -> ProtocolError:
    """Make an answer that is not the API's, to a poll."""
    error = ProtocolError("a JSON object")
    error.transient = True
    return error


@pytest.mark.parametrize("others", [0, 3, 4, 5, 20])
def test_answers_that_are_not_the_apis_are_counted_apart(others: int) -> None:
    """Five of them end the polls, whatever other faults there were; four do not."""
    faults: list[ApiError | str] = [refusal(502)] * others

    four = [*faults, *(strange() for _ in range(4)), "done"]
    assert send_all(*four, attempts=None)[0] == "done"
    with pytest.raises(ProtocolError):
        send_all(*faults, *(strange() for _ in range(5)), "done", attempts=None)


@pytest.mark.parametrize("status", [429, 503, 502])
def test_a_wait_beyond_the_deadline_is_not_begun(status: int) -> None:
    """An API that asks for more time than there is has said no."""
    clock = FakeClock()
    assert RetrySchedule(Deadline(clock, 300), 5).wait(refusal(status, 7200)) is None


@pytest.mark.parametrize("_again", range(50))
def test_no_wait_reaches_the_deadline(_again: int) -> None:
    """There is always half a second left for the request after a wait."""
    clock = FakeClock()
    deadline = Deadline(clock, 20)
    schedule = RetrySchedule(deadline, None)
    for _ in waits(schedule, clock, refusal(429)):
        pass
    assert deadline.remaining() == pytest.approx(retry.LAST_TRY_SECONDS)


def test_an_error_that_is_not_ours_passes() -> None:
    """A bug is not tried again."""

    def send() -> str:
        raise KeyError

    with pytest.raises(KeyError):
        retry.retry(
            send,
            deadline=Deadline(FakeClock(), 10),
            attempts=5,
            clock=FakeClock(),
            on_retry=lambda *_: None,
        )


class CancellingClock(FakeClock):
    """A clock on which the first sleep is cancelled."""

    def sleep(self, seconds: float) -> None:
        """Be cancelled, whatever the wait."""
        del seconds
        raise Cancelled


@pytest.mark.parametrize("lost", [True, False])
def test_a_cancel_between_two_tries_knows_whether_one_may_have_arrived(*, lost: bool) -> None:
    """Post must be told of a login that may have reached the API, and of no other."""
    clock = CancellingClock()
    with pytest.raises(Cancelled) as caught:
        retry.retry(
            answers(fault(lost=lost), "too late"),
            deadline=Deadline(clock, 60),
            attempts=5,
            clock=clock,
            on_retry=lambda _error, _seconds: None,
        )
    assert caught.value.lost is lost
