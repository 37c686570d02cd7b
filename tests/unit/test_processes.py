"""Tests of lib.processes, and of what importing the package does. They start processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import lib
from lib.processes import is_running, pid_namespace, start_time

ROOT = Path(lib.__file__).resolve().parents[1]


def run(program: str) -> list[str]:
    """Run a program in another Python, and return the words that it prints."""
    command = [sys.executable, "-B", "-c", program]
    return subprocess.check_output(command, cwd=ROOT, text=True).split()


def test_process_is_identified_by_its_start_time() -> None:
    started = start_time(os.getpid())
    assert started == Path("/proc/self/stat").read_text("utf-8").rpartition(")")[2].split()[19]
    assert is_running(os.getpid())
    assert is_running(os.getpid(), started)
    assert not is_running(os.getpid(), f"{started}0")
    assert not any(map(is_running, (0, -1, -os.getpgrp(), 2**22 + 1, 2**40, 10**30)))
    assert pid_namespace() == str(Path("/proc/self/ns/pid").readlink())


def test_process_of_another_user_is_running() -> None:
    unprivileged = "os.getuid() or os.setuid(65534)"
    program = f"import os; from lib import processes; {unprivileged}"
    assert run(f"{program}; print(processes.is_running(1))") == ["True"]


def test_ended_process_is_not_running(tmp_path: Path) -> None:
    link = tmp_path / os.fsdecode(b") Z (\xff) 1")  # /proc/<pid>/stat contains the name
    link.symlink_to("/bin/cat")
    with subprocess.Popen([link], stdin=subprocess.PIPE) as process:
        assert is_running(process.pid, start_time(process.pid))
        assert process.stdin
        process.stdin.close()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert not is_running(process.pid)  # a zombie
    assert not is_running(process.pid)
    assert start_time(process.pid) == ""


def test_slow_libraries_are_not_imported_at_start() -> None:
    names = ("requests", "backoff", "truststore", "asyncio", "traceback", "lib.inputs")
    program = f"import sys, lib.entry; print(*(name in sys.modules for name in {names}))"
    assert run(program) == ["False"] * len(names)
