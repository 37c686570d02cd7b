"""No login outlives its job, at whatever moment and in whatever way main is ended.

For every end the same must hold: either the API was asked for no login, or it was asked for a
logout after the login had ended, or post says in one warning that the server may be logged in.
"""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.conftest import CREDENTIAL_ID, SERVER_ID, MakeRunner, on_github
from tests.fake_api import FakeApi, recording
from tests.fake_api.recording import Recording
from tests.integration.conversation import (
    CLOSE,
    Answer,
    accepted,
    login,
    logout,
    play,
    polls,
    without_end,
)
from tests.runner import GITHUB, PROFILES, StageResult
from tests.runner.runner import RunningStage

# How long the API takes to accept a login, and the server to carry it out.
ANSWER_SECONDS = 0.15
LOGIN_SECONDS = 0.6

End = Callable[[RunningStage], StageResult]
# How main is ended on each runner, and on a machine without memory: there Node is killed alone.
ENDS = [
    *(pytest.param(profile, RunningStage.end, id=f"{profile}'s end") for profile in PROFILES),
    pytest.param(GITHUB, RunningStage.kill_node, id="Node's death"),
]


def login_that_takes_a_while() -> Recording:
    """Make a recording of a login that may be ended anywhere: nothing in it has to come."""
    data: dict[str, Any] = json.loads((recording.RECORDINGS / "slow-login.json").read_text("utf-8"))
    login, poll, *_ = data["exchanges"]
    login["responses"][0]["delay"] = ANSWER_SECONDS
    poll["responses"][0]["lasts"]["seconds"] = LOGIN_SECONDS
    for exchange in data["exchanges"]:
        exchange["times"] = {"least": 0}
    return recording.parse("made for test_cleanup", data)


def check(api: FakeApi, main: StageResult, post: StageResult) -> None:
    """Check what must hold after every end, once all processes are gone."""
    sent = [seen for seen in api.requests if seen.method == "POST"]
    logins = [seen for seen in sent if seen.path.endswith("/login")]
    logouts = [seen for seen in sent if seen.path.endswith("/logout")]
    saved = [line for line in main.state_text.splitlines() if line.startswith("{")]
    warned = [message for level, message in post.log.annotations if level == "warning"]

    assert post.exit_code == 0
    assert "Traceback" not in main.output + post.output
    assert all(json.loads(line)["server_id"] == SERVER_ID for line in saved)
    assert len(logins) <= 1
    if logouts:
        [logout] = logouts
        assert logout.at - logins[0].at >= LOGIN_SECONDS
        assert warned == []
    elif logins:
        [warning] = warned
        assert CREDENTIAL_ID in warning
        assert SERVER_ID in warning


@pytest.mark.parametrize(("profile", "end"), ENDS)
@pytest.mark.parametrize("moment", range(12))
def test_no_login_outlives_its_job(make_runner: MakeRunner, end: End, moment: int) -> None:
    """Ended anywhere from its first millisecond to after the login, main leaves nothing behind."""
    with FakeApi([login_that_takes_a_while()], endless=True) as api:
        runner = make_runner(api)
        stage = runner.begin("main")
        threading.Event().wait(moment * 0.065)
        main = end(stage)
        post = runner.post()
        stage.wait_for_orphans()

    check(api, main, post)


@pytest.mark.parametrize(("profile", "end"), ENDS[1:])
def test_a_login_whose_answer_was_lost_is_named(make_runner: MakeRunner, end: End) -> None:
    """Killed while the request is on its way, main leaves enough for a warning with all names."""
    with FakeApi([recording.load("lost-answer")], endless=True) as api:
        runner = make_runner(api, timeout="5")
        stage = runner.begin("main")
        while not api.requests:
            threading.Event().wait(0.01)
        main = end(stage)
        post = runner.post()
        stage.wait_for_orphans()

    check(api, main, post)
    assert len(post.log.annotations) == 1
    assert api.calls() == ["login"]


@on_github
def test_a_cancel_does_not_wait_for_an_answer_that_never_comes(make_runner: MakeRunner) -> None:
    """With the request on its way main waits for the answer, but not as long as its timeout."""
    with FakeApi([recording.load("lost-answer")], endless=True) as api:
        runner = make_runner(api, timeout="3600")
        stage = runner.begin("main")
        while not api.requests:
            threading.Event().wait(0.01)
        main = stage.end()
        post = runner.post()

    assert main.exit_code == 130
    assert main.log.annotations == []
    check(api, main, post)
    assert len(post.log.annotations) == 1


@pytest.mark.parametrize("fault", [CLOSE, {"status": 504}], ids=["closed", "504"])
@pytest.mark.parametrize("is_ended", [False, True])
def test_a_lost_try_of_a_login_is_undone_though_the_next_one_failed(
    make_runner: MakeRunner, fault: Answer, *, is_ended: bool
) -> None:
    """A login that was sent twice may have worked the first time, so the server is logged out."""
    failed = {"status": "failed", "result": {"exit_code": 1, "stderr": "toomanyrequests"}}
    operation = without_end(polls("login", *[{"status": "running"}] * 2, failed))
    with play(login(fault, accepted()), operation, logout({"status": 204})) as api:
        runner = make_runner(api)
        stage = runner.begin("main")
        while is_ended and len(api.requests) < 3:
            threading.Event().wait(0.01)
        main = stage.end() if is_ended else stage.wait()
        post = runner.post()

    killed = 130 if runner.profile is GITHUB else -signal.SIGKILL
    assert main.exit_code == (killed if is_ended else 1)
    assert "Logged out of ghcr.io" in post.log.text()
    assert post.log.annotations == []


SAVED = {
    "version": 1,
    "stage": "accepted",
    "server_id": SERVER_ID,
    "credential_id": CREDENTIAL_ID,
    "api_url": "https://api.reoclo.com",
    "cleanup": True,
    "operation_id": "op-1",
    "registry_url": "ghcr.io",
    "api_key": "",
}
STATES = {
    "another program's": "a token of something else",
    "another program's JSON": '{"version": 1, "container": "postgres"}',
    "an array": "[]",
    "cut": json.dumps(SAVED)[:-30],
    "another version's": json.dumps({**SAVED, "version": 2}),
    "of a wrong kind": json.dumps({**SAVED, "cleanup": "true"}),
    "with one field more": json.dumps({**SAVED, "registry": "ghcr.io"}),
    "with one field less": json.dumps({k: v for k, v in SAVED.items() if k != "cleanup"}),
    "with a path for an operation": json.dumps({**SAVED, "operation_id": "../../keys"}),
    "with another stage": json.dumps({**SAVED, "stage": "done"}),
    "for plain http": json.dumps({**SAVED, "api_url": "http://api.example.com"}),
    "with commands": '::error::x\r\n::set-output name=a::b ##[error]x "\x1b[31m',
    "very long": "[" * 60_000,
}


@pytest.mark.parametrize("name", STATES)
def test_a_state_that_is_not_ours_is_one_warning(make_runner: MakeRunner, name: str) -> None:
    """Post asks nothing of any API for a state that it cannot trust, and stays green."""
    with FakeApi([]) as api:
        runner = make_runner(api)
        runner.set({"STATE_login": STATES[name]})
        post = runner.post()

    assert post.exit_code == 0
    [(level, message)] = post.log.annotations
    assert level == "warning"
    assert message.startswith("The state that the login step saved cannot be used: ")
    assert "run `docker logout`" in message
    assert {command for command, *_ in post.log.commands} == {"add-mask", "warning"}
    assert api.requests == []


@pytest.mark.parametrize("state", [None, ""])
def test_without_a_state_post_has_nothing_to_do(make_runner: MakeRunner, state: str | None) -> None:
    """A main that never came to a login leaves nothing, and post says so in one line."""
    runner = make_runner()
    runner.set({} if state is None else {"STATE_login": state})
    post = runner.post()

    assert (post.exit_code, post.log.annotations) == (0, [])
    assert post.log.shown == ["Nothing to log out: no login was begun."]
