"""Whether another process is running."""

import os
from pathlib import Path


def is_running(pid: int, started: str = "") -> bool:
    """Return whether a process is running, or cannot be observed.

    A process of the same id with another start time, unless that is unknown, is another process.
    """
    # Ids below 1 address process groups. Windows treats signal 0 as Ctrl-C, and ends Python
    # together with Node.
    if pid < 1 or os.name != "posix":
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    state, since = _stat(pid)
    return state not in {"Z", "X"} and (not started or not since or since == started)


def start_time(pid: int) -> str:
    """Return a process's start time as /proc reports it, empty where there is no /proc."""
    return _stat(pid)[1]


def pid_namespace() -> str:
    """Return the PID namespace of this process, empty where there is none."""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def _stat(pid: int) -> tuple[str, str]:
    """Return state and start time from /proc/<pid>/stat (proc(5)), empty if unreadable."""
    try:
        # The name before the last parenthesis can contain anything.
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return "", ""
    return (fields[0], fields[19]) if len(fields) > 19 else ("", "")
