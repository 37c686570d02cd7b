"""What is between a runner and the process of a stage: a pipe, or a terminal."""

from __future__ import annotations

import os
import subprocess
import threading
import tty
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

# The leader of a session that opens a terminal has it from then on: when the leader ends, the
# system hangs up on all that it started.
_TAKE_THE_TERMINAL = ("/bin/sh", "-c", 'exec "$@" </proc/self/fd/0', "sh")


class Output:
    """What a process and its children write, read as it comes.

    Args:
        descriptor: The reading end. It is closed when nobody is left who could write.
    """

    def __init__(self, descriptor: int) -> None:
        self._chunks: list[bytes] = []
        self._reader = threading.Thread(target=self._read, args=(descriptor,), daemon=True)
        self._reader.start()

    def so_far(self) -> str:
        """Give what was written until now."""
        return b"".join(self._chunks).decode("utf-8", "replace")

    def has_ended(self, seconds: float) -> bool:
        """Wait until nobody is left who could write, and tell whether that is so."""
        self._reader.join(seconds)
        return not self._reader.is_alive()

    def _read(self, descriptor: int) -> None:
        with suppress(OSError), open(descriptor, "rb", buffering=0) as file:
            while chunk := file.read(65536):
                self._chunks.append(chunk)


def start(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str], has_terminal: bool
) -> tuple[subprocess.Popen[bytes], Output]:
    """Start a process as the leader of a session, so that all of it can be ended, and no more.

    Args:
        command: What to start.
        cwd: Where.
        env: Its environment.
        has_terminal: Whether stdin, stdout and stderr are one terminal, on whose stdin something
            waits; otherwise nothing can be read, and stdout and stderr are one pipe.
    """
    ours, theirs = os.openpty() if has_terminal else os.pipe()
    if has_terminal:
        tty.setraw(theirs)
        os.write(ours, b"\x04")
    process = subprocess.Popen(
        [*(_TAKE_THE_TERMINAL if has_terminal else ()), *command],
        cwd=cwd,
        env=env,
        stdin=theirs if has_terminal else subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    return process, Output(ours)
