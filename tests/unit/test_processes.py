"""Tests of lib.processes, and of what importing the package does. They start processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import lib
from lib.processes import is_running, pid_namespace, start_time

ROOT = Path(lib.__file__).resolve().parents[1]


def run(program: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a program in another Python."""
    command = [sys.executable, "-B", "-c", program]
    env = {**os.environ, **variables}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def test_process_is_identified_by_its_start_time() -> None:
    started = start_time(os.getpid())
    assert started == Path("/proc/self/stat").read_text("utf-8").rpartition(")")[2].split()[19]
    assert is_running(os.getpid())
    assert is_running(os.getpid(), started)
    assert not is_running(os.getpid(), f"{started}0")
    assert not any(map(is_running, (0, -1, -os.getpgrp(), 2**22 + 1, 2**40, 10**30)))
    assert pid_namespace() == str(Path("/proc/self/ns/pid").readlink())


def test_process_of_another_user_is_running() -> None:
    program = "import os; from lib import processes; os.getuid() or os.setuid(65534)"
    assert run(f"{program}; print(processes.is_running(1))").stdout == "True\n"


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
    names = {"requests", "backoff", "truststore", "asyncio", "traceback", "lib.inputs"}
    done = run("import sys, lib.entry; print(*sys.modules)")
    assert ("lib.entry" in done.stdout.split(), names & {*done.stdout.split()}) == (True, set())


@pytest.mark.parametrize(("change", "code"), [
    ("sys.version_info = (3, 9, 99)", 196), ("sys.version_info = (3, 10, 0)", 0),
    ("importlib.util.find_spec = lambda _: None", 197),
])  # fmt: skip
def test_unusable_python_has_its_exit_code(change: str, code: int) -> None:
    program = f"import importlib.util, sys; {change}; import lib; print(sys.path[0])"
    own, usual = run(program, DOCKER_AUTH_EXIT_CODES="1"), run(program, DOCKER_AUTH_EXIT_CODES="")
    assert (own.returncode, usual.returncode) == (code, min(code, 1))
    assert ("_vendor" in own.stdout) is (code == 0)
