"""A clock without real time."""

from __future__ import annotations

from lib.deadline import Clock


class FakeClock(Clock):
    """Clock that a sleep moves forward immediately."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.sleeps: list[float] = []

    def now(self) -> float:
        """Return the seconds so far."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """Move time forward."""
        self.sleeps.append(seconds)
        self.time += seconds
