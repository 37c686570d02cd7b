"""The process: the signals it may get, and the codes it ends with.

GitHub's runner cancels a step with SIGINT and SIGTERM, 7.5 and 2.5 s before it kills
(actions/runner, src/Runner.Sdk/ProcessInvoker.cs). Other runners kill at once, so nothing
may depend on a signal; but where one comes, main ends soon and leaves a good state behind.
Where Node alone is killed, the runner goes on to post at once: then main must begin nothing.
"""

from __future__ import annotations

import gc
import os
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
# How often a sleep looks whether the step is to end.
LOOK_SECONDS = 0.1


class Cancelled(BaseException):
    """The step is to end. No handler of every Exception catches it.

    Attributes:
        lost: Whether a request that was sent may have been acted on, although no answer tells.
    """

    lost = False


class Cancellation:
    """Ends main on a signal; what is held, the login's request, is finished first.

    A signal is only noted where it comes, and ends main at the next look: an exception out of a
    signal's handler can meet code, such as importlib's, in which Python ignores it or takes it
    for another. It is also main's clock, so that whoever waits looks, ten times a second.

    Args:
        launcher: The id of the process that the runner started, and waits for; None if it is
            not known. Once it is gone, the runner has read the state, and main is cancelled.
    """

    def __init__(self, launcher: int | None = None) -> None:
        # Windows would take the question whether a process is there for a Ctrl-C to it.
        self._launcher = launcher if os.name == "posix" else None
        self._requested = False
        self._raised = False
        self._held: Deadline | None = None

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Let the signals that ask for an end come here during the block, and nowhere after it.

        Raises:
            Cancelled: at the end of the block, if nobody has looked since a signal came.
        """
        for number in _ENDING_SIGNALS:
            signal.signal(number, self._on_signal)
        try:
            yield
            self.check()
        finally:
            ignore_signals()

    def check(self) -> None:
        """End here if the step is to end.

        Raises:
            Cancelled: a signal has come, or the launcher is gone.
        """
        # Once is enough: a second signal must not disturb the end that the first began.
        if not self._raised and (self._requested or self._is_abandoned()):
            self._raised = True
            raise Cancelled

    @contextmanager
    def held(self, deadline: Deadline) -> Iterator[None]:
        """Put a cancel off until the block is done, and shorten its deadline to the grace.

        Raises:
            Cancelled: at the start or the end of the block, as `check` does.
        """
        self._held = deadline
        try:
            self.check()
            yield
        finally:
            self._held = None
            self.check()

    def now(self) -> float:
        """Give monotonic seconds.

        Raises:
            Cancelled: as `check` does, unless something is held.
        """
        if self._held is None:
            self.check()
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Sleep, unless or until a cancel comes: nothing is on its way meanwhile.

        Raises:
            Cancelled: before, during or after the sleep, as `check` does.
        """
        end = time.monotonic() + seconds
        self.check()
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, LOOK_SECONDS))
            self.check()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._requested = True
        if self._held is not None:
            self._held.shorten(GRACE_SECONDS)

    def _is_abandoned(self) -> bool:
        return self._launcher is not None and not _is_there(self._launcher)


@contextmanager
def kept_to_the_end() -> Iterator[None]:
    """Look for no garbage in what the block makes, neither during it nor when the process ends.

    To search what is imported, time and again, takes a tenth of a step.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


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


def _is_there(process: int) -> bool:
    """Tell whether a process is there. One that has ended is, until its parent knows of it."""
    try:
        os.kill(process, 0)
    except OSError as error:
        return not isinstance(error, ProcessLookupError)
    return True


_ENDING_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)
)
