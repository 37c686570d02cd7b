"""Signals, really sent to this process."""

from __future__ import annotations

import gc
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from lib.clock import Deadline
from lib.process import (
    GRACE_SECONDS,
    Cancellation,
    Cancelled,
    SystemClock,
    ignore_signals,
    kept_to_the_end,
)
from tests.unit.fake_clock import FakeClock

pytestmark = pytest.mark.usefixtures("restored_signals")

ENDING = [signal.SIGINT, signal.SIGTERM]


@pytest.fixture
def cancellation() -> Iterator[Cancellation]:
    """Give a cancellation that the signals come to."""
    cancellation = Cancellation()
    with cancellation.on_signals():
        yield cancellation


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_ends_main_at_its_next_look(
    cancellation: Cancellation, number: signal.Signals
) -> None:
    """While nothing is held, whoever reads the clock learns of the signal."""
    assert cancellation.now() >= 0
    signal.raise_signal(number)
    with pytest.raises(Cancelled):
        cancellation.now()


def test_a_signal_that_meets_code_whose_errors_are_ignored_is_not_lost(
    cancellation: Cancellation,
) -> None:
    """Python prints what a finalizer or a weak reference's callback raises, and goes on."""

    class Dying:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGTERM)

    Dying()
    with pytest.raises(Cancelled):
        cancellation.check()


def test_a_signal_that_nobody_looked_for_ends_the_block() -> None:
    """The step is cancelled, though it got as far as its end."""

    def block() -> None:
        with Cancellation().on_signals():
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Cancelled):
        block()


def test_a_second_signal_does_not_disturb_the_end(cancellation: Cancellation) -> None:
    """A runner sends SIGTERM after SIGINT; the first has begun the end already."""
    signal.raise_signal(signal.SIGINT)
    with pytest.raises(Cancelled):
        cancellation.check()
    signal.raise_signal(signal.SIGTERM)
    with cancellation.held(Deadline(FakeClock(), 1)):
        cancellation.sleep(0)


def test_a_signal_waits_for_what_is_held(cancellation: Cancellation) -> None:
    """A block that is held is done to its end, by a deadline that is now nearer."""
    deadline = Deadline(FakeClock(), 300)
    done: list[float] = []

    def block() -> None:
        with cancellation.held(deadline):
            signal.raise_signal(signal.SIGTERM)
            done.append(deadline.remaining())

    with pytest.raises(Cancelled):
        block()
    assert done == [GRACE_SECONDS]


def test_a_signal_before_the_block_keeps_it_from_beginning(cancellation: Cancellation) -> None:
    """What has been held once and cancelled is over; nothing else is begun."""
    begun: list[str] = []

    def blocks() -> None:
        with cancellation.held(Deadline(FakeClock(), 1)):
            signal.raise_signal(signal.SIGINT)
        begun.append("more")

    with pytest.raises(Cancelled):
        blocks()
    assert begun == []


def test_a_cancel_is_preferred_to_the_error_of_what_was_held(cancellation: Cancellation) -> None:
    """A request that fails under a cancel ends as a cancel."""

    def block() -> None:
        with cancellation.held(Deadline(FakeClock(), 1)):
            signal.raise_signal(signal.SIGINT)
            raise ValueError

    with pytest.raises(Cancelled):
        block()


def sleeping(cancellation: Cancellation, *, before: Callable[[], None]) -> None:
    """Sleep in a held block, after something else happened in it."""
    with cancellation.held(Deadline(FakeClock(), 300)):
        before()
        cancellation.sleep(3600)  # slept out, it would end by the tests' own time limit


def test_a_cancel_ends_the_wait_between_two_requests(cancellation: Cancellation) -> None:
    """Nothing is on its way during a wait, so it is not waited out, even in a held block."""
    with pytest.raises(Cancelled):
        sleeping(cancellation, before=lambda: signal.raise_signal(signal.SIGTERM))


def test_a_signal_interrupts_a_sleep(cancellation: Cancellation) -> None:
    """A signal in the middle of a sleep ends it."""
    previous = signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGTERM))
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        with pytest.raises(Cancelled):
            sleeping(cancellation, before=lambda: None)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def test_after_the_step_no_signal_disturbs_its_end() -> None:
    """What is told of how the step ended is told whole, whatever signals still come."""
    with Cancellation().on_signals():
        pass
    for number in ENDING:
        signal.raise_signal(number)


def test_main_is_cancelled_when_its_launcher_is_gone() -> None:
    """With the process that the runner waits for gone, main begins nothing more."""
    launcher = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    cancellation = Cancellation(launcher.pid)
    cancellation.check()
    cancellation.sleep(0)
    launcher.communicate(b"")

    with pytest.raises(Cancelled):
        cancellation.sleep(3600)


def test_no_handler_of_errors_catches_a_cancel() -> None:
    """It is not an Exception, so that no library swallows it."""
    assert not issubclass(Cancelled, Exception)


def test_post_goes_on_whatever_signal_comes() -> None:
    """Signals that ask for an end are ignored."""
    ignore_signals()
    for number in ENDING:
        signal.raise_signal(number)
        assert signal.getsignal(number) is signal.SIG_IGN


def test_the_system_clock_goes_on_while_it_sleeps() -> None:
    """It is monotonic time."""
    clock = SystemClock()
    start = time.monotonic()
    clock.sleep(0)
    assert clock.now() >= start


def test_what_is_kept_to_the_end_is_not_searched_for_garbage() -> None:
    """Python looks for none while the block runs, nor in what it made; later garbage it finds."""
    gc.unfreeze()
    try:
        with kept_to_the_end():
            assert not gc.isenabled()
            made: list[object] = []
        assert gc.isenabled()
        assert gc.get_freeze_count()
        assert not any(found is made for found in gc.get_objects())
    finally:
        gc.unfreeze()


def test_garbage_is_looked_for_again_after_a_fault() -> None:
    """An import that fails leaves the process as it was."""
    with pytest.raises(ImportError), kept_to_the_end():
        raise ImportError
    gc.unfreeze()

    assert gc.isenabled()
