"""Signals and cancellation checkpoints.

GitHub's runner cancels a step with SIGINT and SIGTERM, 7.5 and 2.5 s before it kills
(actions/runner, src/Runner.Sdk/ProcessInvoker.cs). Other runners kill immediately, and in
containers no signal arrives (lib.stop_file). So nothing depends on a signal.
"""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from lib.deadline import Clock, Deadline

GRACE_SECONDS = 5.0  # how long main waits for the response to a login request in flight
CHECKPOINT_SECONDS = 0.1  # how often a sleep or a wait passes a checkpoint


class Canceled(BaseException):
    """Raised at a checkpoint after cancellation. No `except Exception` swallows a BaseException.

    `maybe_processed` is whether the API may have processed a request without a response.
    """

    def __init__(self, *, maybe_processed: bool = False) -> None:
        super().__init__()
        self.maybe_processed = maybe_processed


class Cancellation(Clock):
    """The clock of a step that can be canceled.

    Signals only set a flag, because an exception from a signal handler can be swallowed
    (importlib does so). The checkpoints raise, also if `is_abandoned` returns True: the launcher
    is gone, or post has started. The simulation passes its own time, and no signal handlers.
    """

    def __init__(
        self,
        is_abandoned: Callable[[], bool],
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        set_handler: Callable[..., object] = signal.signal,
    ) -> None:
        self._is_abandoned, self._now, self._sleep = is_abandoned, now, sleep
        self._set_handler = set_handler
        self._requested = False
        self._shielded: Deadline | None = None

    @contextmanager
    def handle_signals(self) -> Iterator[None]:
        """Let signals cancel the block, whose end is a checkpoint, and ignore them afterwards."""
        for number in _SIGNALS:
            self._set_handler(number, self._on_signal)
        try:
            yield
            self.raise_if_canceled()
        finally:
            ignore_signals(self._set_handler)

    @contextmanager
    def shield(self, deadline: Deadline) -> Iterator[None]:
        """Defer cancellation of a request in flight, and cap the deadline at the grace period."""
        self.raise_if_canceled()
        self._shielded = deadline
        try:
            yield
        finally:
            self._shielded = None
        self.raise_if_canceled()

    def raise_if_canceled(self, *, request_in_flight: bool = False) -> None:
        """Raise if the step was canceled, or start the grace period of a shielded request."""
        if not self._requested and self._is_abandoned():
            self._requested = True  # never False here: a signal may have arrived meanwhile
        if not self._requested:
            return
        if self._shielded is None or not request_in_flight:
            raise Canceled
        self._shielded.shorten(GRACE_SECONDS)

    def now(self) -> float:
        """Return monotonic seconds."""
        return self._now()

    def sleep(self, seconds: float) -> None:
        """Sleep, with a checkpoint every 0.1 s."""
        end = self._now() + seconds
        self.raise_if_canceled()
        while (left := end - self._now()) > 0:
            self._sleep(min(left, CHECKPOINT_SECONDS))
            self.raise_if_canceled()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._requested = True


def ignore_signals(set_handler: Callable[..., object] = signal.signal) -> None:
    """Ignore the signals that cancel a step."""
    for number in _SIGNALS:
        set_handler(number, signal.SIG_IGN)


_NAMES = ("SIGINT", "SIGTERM", "SIGBREAK")  # the last one on Windows only
_SIGNALS = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
