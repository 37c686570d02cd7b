"""Time that passes only when somebody sleeps."""

from __future__ import annotations

from lib.cancellation import Canceled


class FakeClock:
    """Clock that a sleep moves forward immediately.

    Args:
        tick: Seconds that pass each time the clock is read.
        canceled_at: Time from which checkpoints raise; None for never.
    """

    def __init__(self, *, tick: float = 0.0, canceled_at: float | None = None) -> None:
        self.time = 1000.0
        self.sleeps: list[float] = []
        self._tick = tick
        self._canceled_at = canceled_at

    def now(self) -> float:
        """Return the seconds so far."""
        self.time += self._tick
        return self.time

    def sleep(self, seconds: float) -> None:
        """Let the seconds pass, or raise `Canceled`."""
        self.raise_if_canceled()
        self.sleeps.append(seconds)
        self.time += seconds
        self.raise_if_canceled()

    def raise_if_canceled(self, *, request_in_flight: bool = False) -> None:
        """Raise `Canceled` from `canceled_at` on."""
        del request_in_flight
        if self._canceled_at is not None and self.time >= self._canceled_at:
            raise Canceled
