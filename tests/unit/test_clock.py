"""The deadline, on a clock that is handed in."""

from __future__ import annotations

from lib.clock import Deadline
from tests.unit.fake_clock import FakeClock


def test_a_deadline_counts_down_to_zero_and_no_further() -> None:
    """What remains shrinks with time and never becomes negative."""
    clock = FakeClock()
    deadline = Deadline(clock, 10)
    assert deadline.remaining() == 10
    clock.sleep(4)
    assert (deadline.remaining(), deadline.elapsed()) == (6, 4)
    clock.sleep(20)
    assert (deadline.remaining(), deadline.elapsed()) == (0, 24)


def test_a_deadline_can_only_be_brought_forward() -> None:
    """Shortening to more than what remains changes nothing."""
    deadline = Deadline(FakeClock(), 10)
    deadline.shorten(5)
    deadline.shorten(8)
    assert deadline.remaining() == 5


def test_an_earlier_deadline_leaves_time_before_the_first() -> None:
    """An earlier deadline ends so many seconds before, or at once."""
    deadline = Deadline(FakeClock(), 30)
    assert deadline.earlier_by(10).remaining() == 20
    assert deadline.earlier_by(40).remaining() == 0
    assert deadline.remaining() == 30
