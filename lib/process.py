"""The process: the signals it may get, and the codes it ends with.

GitHub's runner cancels a step with SIGINT and SIGTERM, 7.5 and 2.5 s before it kills
(actions/runner, src/Runner.Sdk/ProcessInvoker.cs). Other runners kill at once, so nothing
may depend on a signal; but where one comes, main ends soon and leaves a good state behind.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from lib.clock import Deadline

EXIT_SUCCESS = 0
EXIT_FAILURE = 1
EXIT_CANCELLED = 130

# How long a cancelled main still waits for the answer to a request that is on its way.
GRACE_SECONDS = 5.0


class Cancelled(BaseException):
    """The runner asked the step to end. No handler of every Exception catches it.

    Attributes:
        lost: Whether a request that was sent may have been acted on, although no answer tells.
    """

    lost = True


class Cancellation:
    """Ends main on a signal, but not while a request is on its way.

    It is also main's clock, since a cancel must be able to end a sleep.
    """

    def __init__(self) -> None:
        self._requested = False
        self._raised = False
        self._held: Deadline | None = None

    def install(self) -> None:
        """From now on, let the signals that ask for an end come here."""
        for number in _ENDING_SIGNALS:
            signal.signal(number, self._on_signal)

    @contextmanager
    def held(self, deadline: Deadline) -> Iterator[None]:
        """Put a cancel off until the block is done, and shorten its deadline to the grace.

        Raises:
            Cancelled: at the start or the end of the block, if a signal has come.
        """
        self._check()
        self._held = deadline
        try:
            yield
        finally:
            self._held = None
            self._check()

    def now(self) -> float:
        """Give monotonic seconds."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Sleep, unless or until a cancel comes: nothing is on its way meanwhile.

        Raises:
            Cancelled: if a signal has come, or comes.
        """
        held, self._held = self._held, None
        try:
            self._check()
            time.sleep(seconds)
        finally:
            self._held = held

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._requested = True
        if self._held is None:
            self._check()
        else:
            self._held.shorten(GRACE_SECONDS)

    def _check(self) -> None:
        # Once is enough: a second signal must not disturb the end that the first began.
        if self._requested and not self._raised:
            self._raised = True
            raise Cancelled


class SystemClock:
    """The clock of post, which no signal hurries."""

    def now(self) -> float:
        """Give monotonic seconds."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait this many seconds."""
        time.sleep(seconds)


def ignore_signals() -> None:
    """Let no signal that asks for an end disturb this process."""
    for number in _ENDING_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


_ENDING_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)
)
