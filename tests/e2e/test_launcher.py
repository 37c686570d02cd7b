"""The launcher: which Python it starts, how it ends, and what it prints where there is none.

Most tests start it with shell scripts called python3. Its functions have their own tests in
tests/launcher (`node --test`).
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from lib import CANCELED, FAILED, SUCCEEDED, TOO_OLD, UNUSABLE
from tests.e2e.conftest import SERVER_ID, Program, wait_for
from tests.runner.checkout import ROOT

LAUNCHER = ROOT / "lib" / "launcher"
NODE = shutil.which("node") or "node"
GOOD = f"echo good; exit {SUCCEEDED}"
LOGIN = {"id": "1f0c-2", "stage": "accepted", "cleanup": True, "server_id": SERVER_ID}

Launch = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Return a function that starts a stage, or other code in Node, in a process group."""
    with ExitStack() as started:

        def start(stage: str, *path: Path, **environment: str) -> subprocess.Popen[str]:
            script = ROOT / "logout/main.cjs" if stage == "logout" else LAUNCHER / f"{stage}.cjs"
            variables = {"PATH": ":".join(map(str, path)), "GITHUB_STATE": f"{tmp_path}/state"}
            process = subprocess.Popen(
                [NODE, str(script)] if script.exists() else [NODE, "-e", stage],
                env={**variables, **environment},
                cwd=tmp_path,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
            started.enter_context(process)
            started.callback(process.kill)
            return process

        yield start


def end(launched: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for the end, and return exit code and output."""
    output, _ = launched.communicate(timeout=30)
    return launched.returncode, output


def handles(launched: subprocess.Popen[str], number: signal.Signals) -> bool:
    """Return whether a process handles a signal, as Linux reports it."""
    status = Path(f"/proc/{launched.pid}/status").read_text("utf-8")
    caught = int(status.partition("SigCgt:")[2].split()[0], 16)
    return bool(caught >> (number - 1) & 1)


def annotated(output: str, level: str) -> list[str]:
    """Return the annotations, each of which the link to the docs must follow."""
    lines = output.splitlines()
    found = [number for number, line in enumerate(lines) if line.startswith("::")]
    assert all(lines[number].startswith(f"::{level}::") for number in found)
    assert all(lines[number + 1].startswith("Troubleshooting: https://") for number in found)
    return [lines[number] for number in found]


@pytest.mark.parametrize("stage", ["main", "post", "logout"])
def test_only_our_exit_codes_count(program: Program, launch: Launch, stage: str) -> None:
    """Whatever else is called python3 is passed over, and no shell interprets it."""
    not_executable = program("")
    (not_executable / "python3").chmod(0o644)
    scripts = [f"exit {code}" for code in (0, 1, 2, 3, 127, 130, TOO_OLD, UNUSABLE)]
    others = ["kill -9 $$", b"echo shell\n", b"#!/no/such/interpreter\n"]
    bad = [*map(program, [*scripts, *others]), not_executable]
    assert end(launch(stage, *bad, program(GOOD), program("echo unused"))) == (0, "good\n")


def test_exit_code_of_main_is_pythons(program: Program, launch: Launch) -> None:
    for code, expected in {SUCCEEDED: 0, FAILED: 1, CANCELED: 130}.items():
        assert end(launch("main", program(f"exit {code}"), program(GOOD))) == (expected, "")


def test_without_python_main_is_one_error_with_all_that_was_tried(
    program: Program, launch: Launch, tmp_path: Path
) -> None:
    """It has no workflow command of a path."""
    folders = [program(f"exit {TOO_OLD}"), program("exit 7"), program(b"")]
    strange = tmp_path / "x\n##[error]y %0A"
    program("exit 3").rename(strange)
    code, output = end(launch("main", *folders, strange))
    [error] = annotated(output, "error")
    expected = [*map(str, folders), "code 7", "code 3", "setup-python"]
    assert code == 1
    assert [text for text in expected if text not in error] == []
    assert not any(command in error for command in ("%0A", "##["))


@pytest.mark.parametrize("death", ["kill -9 $$", "exit 1", "exit 0"])
def test_crash_after_saved_state_is_final(program: Program, launch: Launch, death: str) -> None:
    """A second Python would repeat the login, and its outcome would hide the first one."""
    crash = program(f'echo "login=x" >> "$GITHUB_STATE"; {death}')
    code, output = end(launch("main", crash, program(GOOD)))
    assert (code, len(annotated(output, "error"))) == (1, 1)
    assert "good" not in output


def test_first_state_is_saved_before_python_starts(
    program: Program, launch: Launch, tmp_path: Path
) -> None:
    """The id is the one that Python gets. The logout action saves none."""
    folder = program(f'echo "$DOCKER_AUTH_LOGIN_ID"; exit {SUCCEEDED}')
    _, output = end(launch("main", folder, GITHUB_ACTION='__é"\n'))
    end(launch("logout", folder))
    [line] = (tmp_path / "state").read_text("ascii").splitlines()
    name, _, value = line.partition("=")
    expected = {"version": 2, "stage": "none", "id": output.strip(), "step": '__é"\n'}
    assert (name, json.loads(value)) == ("login", expected)


def test_state_file_that_cannot_be_written_is_left_to_python(
    program: Program, launch: Launch, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (f"{tmp_path}/fifo", f"{tmp_path}/missing/state", ""):
        assert end(launch("main", program(GOOD), GITHUB_STATE=path)) == (0, "good\n")


def test_python_is_started_isolated(program: Program, launch: Launch) -> None:
    """Nothing of the job's PYTHON* and DOCKER_AUTH_* variables reaches it."""
    script = '/usr/bin/env | /bin/grep -E "^(PYTHON|DOCKER_AUTH)"; read line || echo "$@"'
    folder = program(f"{script}; exit {SUCCEEDED}")
    job = {"PYTHONPATH": "/evil", "PYTHONUTF8": "0", "DOCKER_AUTH_SECONDS": "1"}
    launched = launch("logout", folder, **job)
    _, output = end(launched)
    assert sorted(output.splitlines()) == [
        f"-B -s -S -u -Wignore {ROOT / 'logout' / 'main.py'}",
        "DOCKER_AUTH_EXIT_CODES=1",
        f"DOCKER_AUTH_LAUNCHER={launched.pid}",
        f"DOCKER_AUTH_PID_NAMESPACE={Path('/proc/self/ns/pid').readlink()}",
        "PYTHONUTF8=1",
    ]


def test_post_starts_the_interpreter_of_main_first(program: Program, launch: Launch) -> None:
    """It passes on the seconds that are left, also to the next one."""
    used = program("echo $DOCKER_AUTH_SECONDS; exit 1", "used")
    state = json.dumps({"interpreter": f"{used}/used"})
    folder = program(f"echo $DOCKER_AUTH_SECONDS; exit {SUCCEEDED}")
    code, output = end(launch("post", folder, STATE_login=state))
    first, second = map(float, output.split())
    assert code == 0
    assert 0 < second < first < 29


@pytest.mark.parametrize(
    ("change", "warns"),
    [
        ({}, True),
        ({"stage": "failed"}, False),
        ({"cleanup": False}, False),
        ({"stage": "none"}, True),
        ({"stage": "none", "id": "1f0c-3"}, False),
    ],
)
def test_post_without_python_warns_only_if_a_login_is_at_stake(
    program: Program, launch: Launch, tmp_path: Path, change: dict[str, object], *, warns: bool
) -> None:
    """If post has only the launcher's first state, as in a container, main's state file counts."""
    (tmp_path / f"docker-auth-0-{LOGIN['id']}.state").touch()
    state = json.dumps({**LOGIN, **change})
    code, output = end(launch("post", program("exit 1"), STATE_login=state))
    assert code == 0
    assert [SERVER_ID in warning for warning in annotated(output, "warning")] == [True] * warns
    assert output.count("\n") == 1 + warns


@pytest.mark.parametrize("reader", ["reads", "waits", "gone"])
def test_watchdog_ends_post(program: Program, launch: Launch, reader: str) -> None:
    """Python ignores signals, and fills the pipe if it is not read. What it started ends too."""
    fill = "while :; do echo fill fill fill fill fill; done; " if reader == "waits" else ""
    script = f"trap '' INT TERM HUP; {fill}/bin/sleep 60"
    run_post = f"require({json.dumps(str(LAUNCHER / 'run.cjs'))}).runPost(0.5)"
    launched = launch(run_post, program(script), STATE_login=json.dumps(LOGIN))
    if reader == "gone":
        launched.stdout.close()  # type: ignore[union-attr]
    if reader == "reads":
        _, output = end(launched)  # once no process is left that could write
        assert len(annotated(output, "warning")) == 1
    assert launched.wait(30) == 0


def test_signals_to_the_process_group_do_not_stop_post(
    program: Program, launch: Launch, tmp_path: Path
) -> None:
    """Neither before nor after Python starts, which it does once."""
    started = tmp_path / "started"
    launched = launch("post", program(f"echo >> {started}; /bin/sleep 0.5; {GOOD}"))
    for moment in (lambda: handles(launched, signal.SIGQUIT), started.exists):
        wait_for(moment)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            os.killpg(launched.pid, number)
    assert end(launched) == (0, "good\n")
    assert started.read_text("utf-8") == "\n"
