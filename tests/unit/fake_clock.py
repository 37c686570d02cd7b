"""Time that passes only when somebody sleeps."""

from __future__ import annotations

from lib.process import Cancellation


class FakeClock:
    """A clock that a sleep moves forward at once.

    Args:
        tick: How many seconds pass each time the clock is looked at.
    """

    def __init__(self, tick: float = 0.0) -> None:
        self._time = 1000.0
        self._tick = tick
        self.sleeps: list[float] = []

    def now(self) -> float:
        """Give the seconds so far."""
        self._time += self._tick
        return self._time

    def sleep(self, seconds: float) -> None:
        """Let the seconds pass."""
        self.sleeps.append(seconds)
        self._time += seconds


class FakeCancellation(Cancellation):
    """What main takes for its clock, on a fake clock.

    Args:
        tick: As for `FakeClock`.
    """

    def __init__(self, tick: float = 0.0) -> None:
        super().__init__()
        self.clock = FakeClock(tick)

    def now(self) -> float:
        """Give the seconds so far."""
        return self.clock.now()

    def sleep(self, seconds: float) -> None:
        """Let the seconds pass."""
        self.clock.sleep(seconds)
