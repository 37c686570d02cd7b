"""The job's environment changes nothing about the action, and the API key does not leave it.

NODE_OPTIONS is not covered: Node reads it before the launcher runs. GitHub's runner ignores it in
GITHUB_ENV, but not in `env`.
"""

from __future__ import annotations

import base64
import os
import shutil
import signal
import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest
import trustme

from tests.conftest import Play
from tests.e2e.conftest import API_KEY, LOGIN_AND_LOGOUT, REAL, SHIPPED, MakeRunner, Wrap
from tests.e2e.jobs import processes, slow_login
from tests.fake_api import FakeApi, load
from tests.runner import Runner, Stage
from tests.runner.checkout import check_out

STAGES: tuple[Stage, ...] = ("main", "post")
# Fails the step, whatever runs it.
TRAP = "import os; os.write(1, b'injected'); os._exit(3)\n"


def set_traps(folder: Path, *names: str) -> None:
    """Write modules that end the process which imports them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text(TRAP, "utf-8")


def check_job(runner: Runner, api: FakeApi) -> None:
    """Run the job, and check that nothing is different."""
    main, post = runner.main(), runner.post()
    assert (main.exit_code, post.exit_code) == (0, 0)
    assert main.log.annotations == post.log.annotations == []
    assert "injected" not in main.output + post.output
    assert api.calls() == LOGIN_AND_LOGOUT
    assert {seen.headers["Authorization"] for seen in api.requests} == {f"Bearer {API_KEY}"}


def test_variables_and_files_of_the_job_are_ignored(
    make_runner: MakeRunner, python: Wrap, tmp_path: Path
) -> None:
    """Not even a warning of Python is written to stderr, whose order no runner keeps."""
    ca, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(tls)
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    (tmp_path / ".netrc").write_text("default login octocat password wrong\n", "utf-8")
    with FakeApi([load("ghcr")], tls=tls) as api:
        runner = make_runner(api, environment=python(f"exec {REAL} 2>{tmp_path}/stderr"))
        evil = str(runner.workspace)
        set_traps(runner.workspace, "json.py", "requests.py", "lib.py", "sitecustomize.py", "os.py")
        runner.set({f"PYTHON{name}": evil for name in ("PATH", "HOME", "USERBASE")})
        runner.set({"PYTHONSTARTUP": f"{evil}/os.py", "PYTHONINSPECT": "1", "PYTHONUTF8": "0"})
        runner.set({"PYTHONWARNINGS": "error", "PYTHONIOENCODING": "ascii", "LC_ALL": "C"})
        runner.set({"NODE_EXTRA_CA_CERTS": str(tmp_path / "ca.pem")})
        check_job(runner, api)
    assert (tmp_path / "stderr").read_text("utf-8") == ""


def test_site_packages_of_the_interpreter_are_ignored(
    fake_api: Play, make_runner: MakeRunner, tmp_path: Path
) -> None:
    """Neither its .pth files nor the user's modules are loaded."""
    python = tmp_path / "python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", python], check=True)
    [site] = python.glob("lib/python3*/site-packages")
    for folder in (site, tmp_path / ".local" / "lib" / site.parent.name / "site-packages"):
        set_traps(folder, "trap.pth", "sitecustomize.py", "usercustomize.py", "requests.py")
    api = fake_api("ghcr")
    check_job(make_runner(api, environment={"pythonLocation": str(python)}), api)


# A pipe whose reader exits immediately or never reads, or no stdout at all.
_PIPE = 'P="$RUNNER_TEMP/pipe.$$"; mkfifo "$P"; {} <"$P" >/dev/null 2>&1 & exec "$NODE" "$@" >"$P"'
STREAMS = {
    "gone": _PIPE.format("true"),
    "not reading": _PIPE.format("sleep 60"),
    "closed": 'exec "$NODE" "$@" >&-',
}


@pytest.mark.parametrize("stream", STREAMS)
def test_stdout_that_nobody_reads_does_not_matter(
    fake_api: Play, make_runner: MakeRunner, python: Wrap, stream: str
) -> None:
    """The server is still logged in and out."""
    [folder] = python(f"NODE={shutil.which('node')}; {STREAMS[stream]}", "node").values()
    api = fake_api("ghcr")
    runner = make_runner(api, environment={"PATH": f"{folder}/bin:{os.environ['PATH']}"})
    main, post = runner.main(), runner.post()
    for pid in processes(runner):  # the reader
        os.kill(pid, signal.SIGKILL)
    assert (main.exit_code, post.exit_code, main.output + post.output) == (0, 0, "")
    assert api.calls() == LOGIN_AND_LOGOUT


@pytest.mark.parametrize("composites", [[], [{}]], ids=["top level", "composite"])
def test_key_is_in_no_file_log_or_command_line(
    make_runner: MakeRunner, tmp_path: Path, composites: list[dict[str, str]]
) -> None:
    """Inside a composite action it is in the state, because post has no reliable inputs there."""
    encoded = base64.b64encode(API_KEY.encode()).rstrip(b"=")[:-1]
    forms = [API_KEY.encode(), encoded, API_KEY.encode().hex().encode()]
    job = {"RUNNER_DEBUG": "1", "GITHUB_ACTION": "step"}
    command_lines, holders, logs = "", set[str](), b""
    with FakeApi([slow_login(delay=0, seconds=0.5)], endless=True) as api:
        runner = make_runner(api, environment=job, composites=composites)
        for stage in STAGES:
            running = runner.begin(stage)
            while running.is_running():
                command_lines += "".join(processes(runner).values())
                time.sleep(0.02)
            result = running.wait()
            logs += f"{result.output}{result.outputs}".encode()
            files = [path for path in tmp_path.rglob("*") if path.is_file()]
            leaks = [path.name for path in files if any(f in path.read_bytes() for f in forms)]
            holders.update(name.split("_")[0].split("-")[0] for name in leaks)
    assert all(f"{stage}.py" in command_lines for stage in STAGES)
    assert API_KEY not in command_lines
    assert not any(form in logs.replace(b"::add-mask::" + forms[0], b"") for form in forms)
    assert api.calls() == LOGIN_AND_LOGOUT
    assert holders == ({"save", "docker"} if composites else set())


def test_using_the_action_writes_nothing_into_it(
    fake_api: Play, make_runner: MakeRunner, tmp_path: Path
) -> None:
    """What root leaves in a container, a self-hosted runner cannot remove."""
    action = tmp_path / "action"
    check_out(action, *SHIPPED)

    def tree() -> dict[str, bytes]:
        files = (path for path in action.rglob("*") if path.is_file())
        return {str(path): path.read_bytes() for path in files}

    before, api = tree(), fake_api("ghcr")
    runner = make_runner(api, action=action)
    check_job(runner, api)
    assert tree() == before
    assert not list(runner.workspace.iterdir())
    assert [path.name for path in runner.temp.iterdir()] == ["_runner_file_commands"]
