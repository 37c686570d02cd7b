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
from tests.e2e.conftest import API_KEY, SHIPPED, MakeRunner, Program, first_on_path, run_job
from tests.e2e.jobs import processes, slow_login
from tests.fake_api import FakeApi, load
from tests.runner import Stage
from tests.runner.checkout import check_out

# Fails the step, whatever runs it.
TRAP = "import os; os.write(1, b'injected'); os._exit(3)\n"


def test_modules_of_the_job_are_ignored(
    make_runner: MakeRunner, program: Program, tmp_path: Path
) -> None:
    """Python writes no warning to stderr either, because runners do not keep its order.

    The variables of the job have their test in test_launcher.
    """
    ca, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(tls)
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    [site] = tmp_path.glob("venv/lib/python3*/site-packages")
    user_site = tmp_path / ".local/lib" / site.parent.name / "site-packages"
    python = program(f'exec {tmp_path}/venv/bin/python3 "$@" 2>{tmp_path}/stderr')
    with FakeApi([load("ghcr")], tls=tls) as api:
        runner = make_runner(api, environment=first_on_path(python))
        for folder in (site, user_site, runner.workspace):
            folder.mkdir(parents=True, exist_ok=True)
            for module in ("sitecustomize", "usercustomize", "requests", "lib", "json", "os"):
                (folder / f"{module}.py").write_text(TRAP, "utf-8")
            (folder / "trap.pth").write_text(TRAP, "utf-8")
        runner.set({"NODE_EXTRA_CA_CERTS": str(tmp_path / "ca.pem"), "LC_ALL": "C"})
        main, post = run_job(runner)
        api.verify()
    assert "injected" not in main.output + post.output
    assert (tmp_path / "stderr").read_text("utf-8") == ""


# A pipe whose reader exits immediately or never reads, or no stdout at all.
_PIPE = 'P="$RUNNER_TEMP/pipe.$$"; mkfifo "$P"; {} <"$P" >/dev/null 2>&1 & exec "$NODE" "$@" >"$P"'
STREAMS = {
    "gone": _PIPE.format("true"),
    "not reading": _PIPE.format("sleep 60"),
    "closed": 'exec "$NODE" "$@" >&-',
}


@pytest.mark.parametrize("stream", STREAMS)
def test_stdout_that_nobody_reads_does_not_matter(
    fake_api: Play, make_runner: MakeRunner, program: Program, stream: str
) -> None:
    """The server is still logged in and out."""
    node = program(f"NODE={shutil.which('node')}; {STREAMS[stream]}", "node")
    runner = make_runner(fake_api("ghcr"), environment=first_on_path(node))
    main, post = run_job(runner)
    for pid in processes(runner):  # the reader
        os.kill(pid, signal.SIGKILL)
    assert main.output + post.output == ""


@pytest.mark.parametrize("composites", [[], [{}]], ids=["top level", "composite"])
def test_key_is_in_no_file_log_or_command_line(
    make_runner: MakeRunner, tmp_path: Path, composites: list[dict[str, str]]
) -> None:
    """Inside a composite action it is in the state, because post has no reliable inputs there."""
    encoded = base64.b64encode(API_KEY.encode()).rstrip(b"=")[:-1]
    forms = [API_KEY.encode(), encoded, API_KEY.encode().hex().encode()]
    stages: tuple[Stage, ...] = ("main", "post")
    command_lines, holders, logs = "", set[str](), b""
    with FakeApi([slow_login(delay=0, seconds=0.5)]) as api:
        runner = make_runner(api, environment={"RUNNER_DEBUG": "1"}, composites=composites)
        for stage in stages:
            running = runner.begin(stage)
            while running.is_running():
                command_lines += "".join(processes(runner).values())
                time.sleep(0.02)
            result = running.wait()
            logs += f"{result.output}{result.outputs}".encode()
            files = [path for path in tmp_path.rglob("*") if path.is_file()]
            leaks = [path.name for path in files if any(f in path.read_bytes() for f in forms)]
            holders.update(name.split("_")[0].split("-")[0] for name in leaks)
    assert all(f"{stage}.py" in command_lines for stage in stages)
    assert API_KEY not in command_lines
    assert not any(form in logs.replace(b"::add-mask::" + forms[0], b"") for form in forms)
    assert api.calls() == ["login", "poll", "logout", "poll"]
    assert holders == ({"save", "docker"} if composites else set())


def test_job_leaves_nothing_behind_in_a_linked_folder_with_a_strange_name(
    fake_api: Play, make_runner: MakeRunner, tmp_path: Path
) -> None:
    """Runners can link to cached actions (ACTIONS_RUNNER_SYMLINK_CACHED_ACTIONS).

    What root leaves in a container, a self-hosted runner cannot remove.
    """
    action, target = tmp_path / "ünï & 'code' $HOME", tmp_path / "cache of actions"
    check_out(target, *SHIPPED)
    action.symlink_to(target)

    def tree() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in target.rglob("*") if path.is_file()}

    before = tree()
    runner = make_runner(fake_api("ghcr"), action=action)
    run_job(runner)
    assert tree() == before
    assert not list(runner.workspace.iterdir())
    assert [path.name for path in runner.temp.iterdir()] == ["_runner_file_commands"]
