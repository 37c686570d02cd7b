"""Clock and deadline: time as an argument, so that tests need no real waiting."""

import time


class Clock:
    """System clock, for a step that is never canceled. Base class of other clocks."""

    def now(self) -> float:
        """Return monotonic seconds. Never raises."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Sleep for this many seconds. A subclass can raise `Canceled`."""
        time.sleep(seconds)

    def raise_if_canceled(self, *, request_in_flight: bool = False) -> None:
        """Do nothing. `lib.cancellation` raises `Canceled` here after a cancellation."""


class Deadline:
    """Time limit: `limit` seconds from its creation, unless it is shortened."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self.limit = seconds
        self._clock = clock
        self._start = clock.now()
        self._end = self._start + seconds

    def remaining(self) -> float:
        """Return the seconds left, never negative."""
        return max(0.0, self._end - self._clock.now())

    def elapsed(self) -> float:
        """Return the seconds since the deadline was set."""
        return self._clock.now() - self._start

    def shorten(self, seconds: float) -> None:
        """Move the deadline to this many seconds from now, unless it is earlier already."""
        self._end = min(self._end, self._clock.now() + seconds)

    def earlier_by(self, seconds: float) -> "Deadline":
        """Return a deadline that expires this many seconds before this one."""
        return Deadline(self._clock, max(0.0, self.remaining() - seconds))

    def wait(self) -> None:
        """Sleep until the deadline."""
        self._clock.sleep(self.remaining())


Deadlines = tuple[Deadline, ...]  # the first that expires counts
