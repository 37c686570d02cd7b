"""Tests of lib.cancellation, with signals sent to this process."""

from __future__ import annotations

import signal
import time

import pytest

from lib.cancellation import GRACE_SECONDS, Canceled, Cancellation, ignore_signals
from lib.deadline import Deadline
from tests.unit.fake_clock import FakeClock

pytestmark = pytest.mark.usefixtures("restored_signals")

SIGNALS = [signal.SIGINT, signal.SIGTERM]


def never() -> bool:
    return False


def deadline(seconds: float = 300) -> Deadline:
    return Deadline(FakeClock(), seconds)


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("in_flight", [True, False])
def test_signal_cancels_at_the_next_checkpoint(number: signal.Signals, *, in_flight: bool) -> None:
    cancellation = Cancellation(never)
    with pytest.raises(Canceled) as caught, cancellation.handle_signals():
        cancellation.raise_if_canceled(request_in_flight=in_flight)
        signal.raise_signal(number)
        assert cancellation.now() <= time.monotonic()
        cancellation.raise_if_canceled(request_in_flight=in_flight)
        pytest.fail("not canceled")
    assert not caught.value.maybe_processed
    assert not isinstance(caught.value, Exception)


def test_signal_after_the_last_checkpoint_cancels() -> None:
    with pytest.raises(Canceled), Cancellation(never).handle_signals():
        signal.raise_signal(signal.SIGINT)


def test_signals_are_ignored_after_the_step() -> None:
    with Cancellation(never).handle_signals():
        assert signal.SIG_IGN not in map(signal.getsignal, SIGNALS)
    for number in SIGNALS:
        signal.raise_signal(number)
        assert signal.getsignal(number) is signal.SIG_IGN


def test_signals_are_ignored_after_a_failure() -> None:
    with pytest.raises(KeyError), Cancellation(never).handle_signals():
        raise KeyError
    assert [signal.getsignal(number) for number in SIGNALS] == [signal.SIG_IGN] * 2


def test_post_ignores_signals() -> None:
    ignore_signals()
    for number in SIGNALS:
        signal.raise_signal(number)


def test_abandoned_step_stays_canceled() -> None:
    checks = iter([False, True])
    cancellation = Cancellation(lambda: next(checks))
    cancellation.raise_if_canceled()
    for _ in range(2):
        with pytest.raises(Canceled):
            cancellation.raise_if_canceled()


def test_shielded_request_gets_the_grace_period() -> None:
    cancellation = Cancellation(never)
    limit = deadline()
    left: list[float] = []
    with pytest.raises(Canceled), cancellation.handle_signals(), cancellation.shield(limit):
        left.append(limit.remaining())
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        left.append(limit.remaining())
        cancellation.raise_if_canceled(request_in_flight=True)
        left.append(limit.remaining())
    assert left == [300, 300, GRACE_SECONDS]


def test_shield_allows_no_new_attempt() -> None:
    is_canceled: list[bool] = []
    cancellation = Cancellation(lambda: bool(is_canceled))
    with pytest.raises(Canceled), cancellation.shield(deadline()):
        is_canceled.append(True)
        cancellation.raise_if_canceled()
        pytest.fail("not canceled")


def test_canceled_step_enters_no_shield() -> None:
    with pytest.raises(Canceled), Cancellation(lambda: True).shield(deadline()):
        pytest.fail("entered")


def test_shield_ends_with_its_block() -> None:
    is_canceled: list[bool] = []
    cancellation = Cancellation(lambda: bool(is_canceled))
    with pytest.raises(KeyError), cancellation.shield(deadline()):
        is_canceled.append(True)
        raise KeyError
    with pytest.raises(Canceled):
        cancellation.raise_if_canceled(request_in_flight=True)


def test_sleep_passes_a_checkpoint_every_100_ms() -> None:
    checks: list[float] = []
    start = time.monotonic()
    Cancellation(lambda: bool(checks.append(time.monotonic()))).sleep(0.25)
    assert 2 <= len(checks) <= 4
    assert checks[-1] - start >= 0.25


def test_canceled_sleep_ends_early() -> None:
    checks = iter([False, True])
    with pytest.raises(Canceled):
        Cancellation(lambda: next(checks)).sleep(3600)
    with pytest.raises(Canceled):
        Cancellation(lambda: True).sleep(-1)


def test_canceled_knows_what_may_be_processed() -> None:
    assert not Canceled().maybe_processed
    assert Canceled(maybe_processed=True).maybe_processed
