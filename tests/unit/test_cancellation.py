"""Tests of lib.cancellation, with signals sent to this process, and of lib.deadline."""

from __future__ import annotations

import itertools
import signal
import time

import pytest

from lib.cancellation import CHECKPOINT_SECONDS, Canceled, Cancellation
from lib.deadline import Deadline
from tests.unit.fakes import FakeClock

pytestmark = pytest.mark.usefixtures("restored_signals")

SIGNALS = [signal.SIGINT, signal.SIGTERM]


def cancellation(after: int = 999) -> Cancellation:
    """Return one whose step is abandoned after this number of checkpoints."""
    checks = itertools.count()
    return Cancellation(lambda: next(checks) == after)


@pytest.mark.parametrize("number", SIGNALS)
def test_signal_cancels_at_the_next_checkpoint(number: signal.Signals) -> None:
    clock = cancellation()
    with pytest.raises(Canceled) as caught, clock.handle_signals():  # noqa: PT012
        clock.raise_if_canceled(request_in_flight=True)
        signal.raise_signal(number)
        assert clock.now() <= time.monotonic()  # reading the time is no checkpoint
        clock.raise_if_canceled(request_in_flight=True)
        pytest.fail("not canceled")
    assert (caught.value.maybe_processed, isinstance(caught.value, Exception)) == (False, False)
    assert [signal.getsignal(number) for number in SIGNALS] == [signal.SIG_IGN] * 2
    with pytest.raises(Canceled), cancellation().handle_signals():
        signal.raise_signal(number)  # the end of the block is a checkpoint


def test_signal_during_the_check_for_the_runner_is_not_lost() -> None:
    def is_abandoned() -> bool:
        signal.raise_signal(signal.SIGTERM)
        return False

    clock = Cancellation(is_abandoned)
    with pytest.raises(Canceled), clock.handle_signals():  # noqa: PT012
        clock.raise_if_canceled()
        pytest.fail("not canceled")


def test_shielded_request_gets_five_seconds() -> None:
    clock, limit, left = cancellation(), Deadline(FakeClock(), 300), list[float]()
    with pytest.raises(Canceled), clock.handle_signals(), clock.shield(limit):  # noqa: PT012
        signal.raise_signal(signal.SIGTERM)
        left.append(limit.remaining())
        clock.raise_if_canceled(request_in_flight=True)
        left.append(limit.remaining())
    assert left == [300, 5]


def test_shield_allows_no_new_attempt_and_ends_with_its_block() -> None:
    limit = Deadline(FakeClock(), 300)
    for after in (0, 1):
        clock = cancellation(after)
        with pytest.raises(Canceled), clock.shield(limit):  # noqa: PT012
            clock.raise_if_canceled()
            pytest.fail("not canceled")
        with pytest.raises(Canceled):
            clock.raise_if_canceled(request_in_flight=True)


def test_sleep_lasts_and_passes_checkpoints() -> None:
    checks: list[float] = []
    end = time.monotonic() + 0.25
    Cancellation(lambda: bool(checks.append(time.monotonic()))).sleep(0.25)  # type: ignore[func-returns-value]
    assert 2 <= len(checks) <= 4
    assert (checks[-1] >= end, CHECKPOINT_SECONDS) == (True, 0.1)
    for canceled, seconds in ((cancellation(after=1), 3600), (cancellation(after=0), -1)):
        with pytest.raises(Canceled):
            canceled.sleep(seconds)


def test_deadline_counts_down_to_zero() -> None:
    clock = FakeClock()
    deadline = Deadline(clock, 10)
    clock.sleep(4)
    assert (deadline.remaining(), deadline.elapsed(), deadline.limit) == (6, 4, 10)
    assert (deadline.earlier_by(2).remaining(), deadline.earlier_by(7).remaining()) == (4, 0)
    deadline.shorten(5)
    deadline.shorten(8)
    deadline.wait()
    assert (clock.sleeps, deadline.remaining()) == ([4, 5], 0)
    clock.sleep(20)
    assert (deadline.remaining(), deadline.elapsed(), deadline.limit) == (0, 29, 10)
