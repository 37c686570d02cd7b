"""Main and post side by side, and files beside them that are forged or damaged."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from uuid import uuid4

import pytest

from tests.e2e.conftest import (
    API_KEY,
    CREDENTIAL_ID,
    SERVER_ID,
    MakeRunner,
    check_cleanup,
    slow_login,
    stages,
    wait_for,
)
from tests.e2e.side_by_side import STEP, Overlap, cancel_at
from tests.fake_api import FakeApi
from tests.runner import Runner

PREFIX = f"docker-auth-{hashlib.sha256(STEP['GITHUB_ACTION'].encode()).hexdigest()[:16]}"
LOGIN_ID = str(uuid4())
ACCEPTED = {
    "version": 2,
    "stage": "accepted",
    "id": LOGIN_ID,
    "step": STEP["GITHUB_ACTION"],
    "server_id": SERVER_ID,
    "credential_id": CREDENTIAL_ID,
    "registry_url": "ghcr.io",
    "operation_id": "operation-1",
    "cleanup": True,
}


@pytest.mark.parametrize("moment", range(12))
@pytest.mark.parametrize("variant", ["vault", "passthrough", "composite"])
def test_no_login_outlives_its_job(tmp_path: Path, variant: str, moment: int) -> None:
    """Each is a cancellation at another moment; `make sweep` has more of them.

    In a composite action, the post of a step that has saved nothing yet finds the state of the
    other step, and cannot attribute it.
    """
    outcome = cancel_at(tmp_path, variant, moment * 0.11)

    assert outcome != "warned" or variant == "composite"


@pytest.mark.parametrize("moment", range(4))
def test_no_login_outlives_its_job_in_act(tmp_path: Path, moment: int) -> None:
    """There post empties the file that main writes its state to."""
    assert cancel_at(tmp_path, "act", moment * 0.15) != "warned"


def test_post_waits_for_a_login_request_in_flight(make_runner: MakeRunner) -> None:
    """Main is still waiting for the response when post starts."""
    with FakeApi([slow_login(delay=2, seconds=2.1)], endless=True) as api:
        overlap = Overlap(make_runner(api, environment=STEP))
        wait_for(lambda: api.requests)
        assert stages(overlap.saved()) == ["none", "requested"]
        post = overlap.begin_post().wait()
        main = overlap.wait()

    assert main.exit_code == 130
    assert check_cleanup(api, [post], seconds=2.1) == "logged out"


def test_steps_of_a_composite_do_not_stop_each_other(make_runner: MakeRunner) -> None:
    """They share GITHUB_ACTION, so only the id of the login tells them apart."""
    job = {"environment": STEP, "composites": [{}]}
    with FakeApi([slow_login(delay=0, seconds=0)], endless=True) as api:
        steps = [make_runner(api, **job) for _ in range(2)]
        assert steps[0].main().exit_code == steps[0].post().exit_code == 0
        assert steps[1].main().exit_code == steps[1].post().exit_code == 0

    assert api.calls() == ["login", "poll", "logout", "poll"] * 2


def test_stop_file_that_exists_cancels_main(make_runner: MakeRunner) -> None:
    """Nothing is requested."""
    with FakeApi([]) as api:
        runner = make_runner(api, environment=STEP)
        (command_files(runner) / f"{PREFIX}.stop").touch()
        main, post = runner.main(), runner.post()

    assert (main.exit_code, main.log.annotations) == (130, [])
    assert (post.exit_code, post.log.annotations) == (0, [])
    assert api.requests == []


def test_post_leaves_no_state_file(make_runner: MakeRunner) -> None:
    """Main's is for its owner only."""
    with FakeApi([slow_login(delay=0, seconds=0)]) as api:
        runner = make_runner(api, environment=STEP)
        runner.main()
        [state_file] = command_files(runner).glob("docker-auth-*.state")
        mode = state_file.stat().st_mode & 0o777
        runner.post()

    assert mode == 0o600
    assert not list(command_files(runner).glob("docker-auth-*.state"))


def command_files(runner: Runner) -> Path:
    """Return the folder of the command files, which exists from now on."""
    folder = runner.temp / "_runner_file_commands"
    folder.mkdir(exist_ok=True)
    return folder


def damage(path: Path, kind: str) -> None:
    """Create a state file that is no state."""
    contents = {
        "empty": b"",
        "not UTF-8": b"\xff\xfe\n",
        "a command": b"::error::x\r##[error]y\n",
        "another program's": b'{"container": "postgres"}\n',
        "deeply nested": b"[" * 60_000 + b"\n",
        "large": b"x" * 1_000_000 + b"\n",
    }
    if kind == "a folder":
        path.mkdir()
    elif kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a link":
        (path.parent / "target").write_text(json.dumps(ACCEPTED) + "\n", "utf-8")
        path.symlink_to("target")
    else:
        path.write_bytes(contents[kind])


@pytest.mark.parametrize(
    "kind",
    [
        *("empty", "not UTF-8", "a command", "another program's", "deeply nested", "large"),
        *("a folder", "a pipe", "a link"),
    ],
)
def test_damaged_state_file_is_one_warning_at_most(make_runner: MakeRunner, kind: str) -> None:
    """Neither with the state of this login nor without it does post fail or hang."""
    with FakeApi([]) as api:
        runner = make_runner(api, environment=STEP)
        damage(command_files(runner) / f"{PREFIX}-{LOGIN_ID}.state", kind)
        lost = runner.post()
        first = {"version": 2, "stage": "none", "id": LOGIN_ID, "step": STEP["GITHUB_ACTION"]}
        runner.set({"STATE_login": json.dumps(first)})
        known = runner.post()

    for post in (lost, known):
        assert post.exit_code == 0
        assert [level for level, _ in post.log.annotations] in ([], ["warning"])
        assert {name for name, *_ in post.log.commands} <= {"add-mask", "warning"}
        assert "Traceback" not in post.output
    assert api.requests == []


@pytest.mark.parametrize("forged", ["other id", "no id"])
def test_forged_state_file_does_not_get_the_key(make_runner: MakeRunner, forged: str) -> None:
    """A state file of another api_url counts neither for this login nor without its state."""
    with FakeApi([]) as thief, FakeApi([slow_login(delay=0, seconds=0)], endless=True) as api:
        runner = make_runner(api, environment=STEP)
        other = {**ACCEPTED, "id": str(uuid4()), "api_url": thief.url, "api_key": "rca_forged"}
        if forged == "other id":
            runner.main()
            [path] = command_files(runner).glob(f"{PREFIX}-*.state")
        else:
            path = command_files(runner) / f"{PREFIX}-{LOGIN_ID}.state"
        path.write_text(json.dumps(other) + "\n", "utf-8")
        post = runner.post()

    expected = [] if forged == "other id" else ["warning"]
    assert post.exit_code == 0
    assert [level for level, _ in post.log.annotations] == expected
    assert api.calls() == ([] if expected else ["login", "poll", "logout", "poll"])
    assert thief.requests == []
    assert API_KEY not in post.output.replace(f"::add-mask::{API_KEY}\n", "")


def test_forged_stop_file_is_not_followed(make_runner: MakeRunner, tmp_path: Path) -> None:
    """Post creates no file elsewhere, and logs out without a stop file of its own."""
    with FakeApi([slow_login(delay=0, seconds=0)], endless=True) as api:
        runner = make_runner(api, environment=STEP)
        main = runner.main()
        login_id = json.loads(main.state["login"])["id"]
        stop = command_files(runner) / f"{PREFIX}-{login_id}.stop"
        stop.symlink_to(tmp_path / "elsewhere")
        post = runner.post()

    assert (post.exit_code, post.log.annotations) == (0, [])
    assert api.calls()[-2:] == ["logout", "poll"]
    assert not (tmp_path / "elsewhere").exists()
