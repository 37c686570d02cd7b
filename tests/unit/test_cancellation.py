"""Tests of lib.cancellation, with signals sent to this process, and of lib.deadline."""

from __future__ import annotations

import signal

import pytest

from lib.cancellation import Canceled, Cancellation
from lib.deadline import Deadline
from tests.unit.fake_clock import FakeClock

pytestmark = pytest.mark.usefixtures("restored_signals")

SIGNALS = [signal.SIGINT, signal.SIGTERM]


@pytest.mark.parametrize("number", SIGNALS)
def test_signal_cancels_at_the_next_checkpoint(number: signal.Signals) -> None:
    clock = Cancellation(lambda: False)
    with pytest.raises(Canceled) as caught, clock.handle_signals():  # noqa: PT012
        clock.raise_if_canceled(request_in_flight=True)
        signal.raise_signal(number)
        clock.now()  # no checkpoint
        clock.raise_if_canceled(request_in_flight=True)
        pytest.fail("not canceled")
    assert (caught.value.maybe_processed, isinstance(caught.value, Exception)) == (False, False)
    assert [signal.getsignal(number) for number in SIGNALS] == [signal.SIG_IGN] * 2
    with pytest.raises(Canceled), Cancellation(lambda: False).handle_signals():
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
    clock, limit = Cancellation(lambda: False), Deadline(FakeClock(), 300)
    with pytest.raises(Canceled), clock.handle_signals(), clock.shield(limit):  # noqa: PT012
        signal.raise_signal(signal.SIGTERM)
        assert limit.remaining() == 300
        clock.raise_if_canceled(request_in_flight=True)
    assert limit.remaining() == 5
    with pytest.raises(Canceled):  # after the block
        clock.raise_if_canceled(request_in_flight=True)


def test_sleep_passes_a_checkpoint_every_tenth_of_a_second() -> None:
    clock, checks = FakeClock(), list[float]()

    def is_abandoned() -> bool:
        checks.append(clock.now() - 1000)
        return len(checks) == 6

    cancellation = Cancellation(is_abandoned, now=clock.now, sleep=clock.sleep)
    cancellation.sleep(0.25)
    cancellation.sleep(-1)
    with pytest.raises(Canceled):
        cancellation.sleep(3600)
    assert checks == pytest.approx([0, 0.1, 0.2, 0.25, 0.25, 0.25])


def test_deadline_can_be_earlier_but_not_past() -> None:
    clock = FakeClock()
    deadline = Deadline(clock, 10)
    clock.sleep(4)
    assert (deadline.earlier_by(2).remaining(), deadline.earlier_by(7).remaining()) == (4, 0)
    deadline.shorten(5)
    deadline.shorten(8)
    deadline.wait()
    assert (clock.sleeps, deadline.remaining(), deadline.elapsed()) == ([4, 5], 0, 9)
