"""The processes of a stage, as Linux shows them to everybody on the machine."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import NamedTuple


class Process(NamedTuple):
    """A process as it was at one moment: its command line, and its environment."""

    command_line: bytes
    environment: tuple[bytes, ...]


def in_session(session: int) -> list[Process]:
    """Give the processes of a session that are there now."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            if _session(folder) == session:
                environment = (folder / "environ").read_bytes().split(b"\0")
                command_line = (folder / "cmdline").read_bytes()
                found.append(Process(command_line, tuple(environment)))
    return [process for process in found if process.command_line]  # without one it has ended


def _session(folder: Path) -> int:
    """Read the sixth field of `stat`; the second is the program's name, in brackets."""
    return int((folder / "stat").read_text("utf-8").rpartition(")")[2].split()[3])
