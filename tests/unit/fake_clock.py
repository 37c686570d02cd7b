"""Time that passes only when somebody sleeps."""

from __future__ import annotations

from lib.cancellation import Canceled


class FakeClock:
    """Clock that a sleep moves forward immediately.

    Args:
        tick: Seconds that pass each time the clock is read.
        canceled: Whether checkpoints raise.
    """

    def __init__(self, *, tick: float = 0.0, canceled: bool = False) -> None:
        self.time = 1000.0
        self.sleeps: list[float] = []
        self._tick = tick
        self._canceled = canceled

    def now(self) -> float:
        """Return the seconds so far."""
        self.time += self._tick
        return self.time

    def sleep(self, seconds: float) -> None:
        """Let the seconds pass, or raise `Canceled`."""
        self.raise_if_canceled()
        self.sleeps.append(seconds)
        self.time += seconds

    def raise_if_canceled(self, *, request_in_flight: bool = False) -> None:  # noqa: ARG002
        """Raise `Canceled` if the step is canceled."""
        if self._canceled:
            raise Canceled
