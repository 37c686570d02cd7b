"""Tests of lib.processes, with real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lib.processes import is_running, pid_namespace, start_time

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def test_process_is_identified_by_its_start_time() -> None:
    started = start_time(os.getpid())
    assert started == Path("/proc/self/stat").read_text("utf-8").rpartition(")")[2].split()[19]
    assert is_running(os.getpid())
    assert is_running(os.getpid(), started)
    assert not is_running(os.getpid(), f"{started}0")


def test_ended_process_is_not_running() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        assert is_running(process.pid, start_time(process.pid))
        assert process.stdin
        process.stdin.close()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert not is_running(process.pid)  # a zombie
    assert not is_running(process.pid)
    assert start_time(process.pid) == ""


def test_parentheses_in_a_name_do_not_confuse(tmp_path: Path) -> None:
    link = tmp_path / ") Z (x) 1"
    link.symlink_to("/bin/sleep")
    with subprocess.Popen([link, "60"]) as process:
        assert is_running(process.pid, start_time(process.pid))
        process.kill()


def test_pid_namespace_is_that_of_this_process() -> None:
    assert pid_namespace() == str(Path("/proc/self/ns/pid").readlink())
