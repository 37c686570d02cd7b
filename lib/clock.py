"""Time as the action sees it: a clock that can be handed in, and a deadline on it."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> float:
        """Give the seconds since some fixed moment; never goes back."""

    def sleep(self, seconds: float) -> None:
        """Wait this many seconds."""


class Deadline:
    """A moment by which something must be done.

    Args:
        clock: What the time is read from.
        seconds: How far away the moment is.
    """

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._start = clock.now()
        self._end = self._start + seconds

    def remaining(self) -> float:
        """Give the seconds that are left; 0 when there are none."""
        return max(0.0, self._end - self._clock.now())

    def elapsed(self) -> float:
        """Give the seconds since the deadline was set."""
        return self._clock.now() - self._start

    def shorten(self, seconds: float) -> None:
        """Bring the moment forward to this many seconds from now, never back."""
        self._end = min(self._end, self._clock.now() + seconds)

    def earlier_by(self, seconds: float) -> Deadline:
        """Give a deadline that ends this many seconds before this one."""
        return Deadline(self._clock, max(0.0, self.remaining() - seconds))
