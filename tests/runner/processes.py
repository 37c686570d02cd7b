"""Processes of a stage: how they start, what they write, and whether any is left."""

from __future__ import annotations

import os
import subprocess
import threading
import tty
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

# The leader of a session that opens a terminal controls it: when the leader exits, the kernel
# sends SIGHUP to the processes that it started.
_TAKE_TERMINAL = ("/bin/sh", "-c", 'exec "$@" </proc/self/fd/0', "sh")


class Output:
    """Output of a process and its children, read as it arrives."""

    def __init__(self, descriptor: int) -> None:
        self._chunks: list[bytes] = []
        self._reader = threading.Thread(target=self._read, args=(descriptor,), daemon=True)
        self._reader.start()

    def so_far(self) -> str:
        """Return what has been written."""
        return b"".join(self._chunks).decode("utf-8", "replace")

    def has_ended(self, seconds: float) -> bool:
        """Wait until no process can write to it, and return whether that is so."""
        self._reader.join(seconds)
        return not self._reader.is_alive()

    def _read(self, descriptor: int) -> None:
        with suppress(OSError), open(descriptor, "rb", buffering=0) as file:
            while chunk := file.read(65536):
                self._chunks.append(chunk)


def start(
    command: Sequence[str], cwd: Path, env: Mapping[str, str], *, has_terminal: bool
) -> tuple[subprocess.Popen[bytes], Output]:
    """Start a process as the leader of a session; its output is one pipe or terminal."""
    ours, theirs = os.openpty() if has_terminal else os.pipe()
    if has_terminal:
        tty.setraw(theirs)
        os.write(ours, b"\x04")  # as act does
    process = subprocess.Popen(
        [*(_TAKE_TERMINAL if has_terminal else ()), *command],
        cwd=cwd,
        env=env,
        stdin=theirs if has_terminal else subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    return process, Output(ours)


def is_any_left(variable: str) -> bool:
    """Return whether a process is running that has an environment variable, as `name=value`."""
    for file in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):  # the process has exited
            if variable.encode() in file.read_bytes().split(b"\0"):
                return True
    return False
