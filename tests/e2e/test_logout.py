"""reoclo/docker-auth/logout: a logout that is the main thing, and not the end of a login."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from lib.inputs import DEFAULT_API_URL
from tests.conftest import Play
from tests.e2e.conftest import API_KEY, SERVER_ID, on_github
from tests.fake_api import FakeApi
from tests.integration.conversation import STALL, logout, play, polls, without_end
from tests.runner import Profile, Runner
from tests.runner.checkout import ROOT

MakeLogout = Callable[..., Runner]


@pytest.fixture
def make_logout(tmp_path: Path, profile: Profile) -> MakeLogout:
    """Make a job with the logout as its step."""

    def make(api: FakeApi, **inputs: str) -> Runner:
        good = {"api_key": API_KEY, "server_id": SERVER_ID, "registry_url": "ghcr.io"}
        given = {**good, "api_url": api.url, **inputs}
        return Runner(tmp_path, given, action=ROOT / "logout", profile=profile)

    return make


def test_a_server_is_logged_out(fake_api: Play, make_logout: MakeLogout) -> None:
    """The step sends the logout, waits for its end, and says so; the audit log knows who it was."""
    api = fake_api("logout-only")

    runner = make_logout(api)
    step = runner.main()

    assert (step.exit_code, step.log.annotations) == (0, [])
    assert step.output.startswith(f"::add-mask::{API_KEY}\n")
    assert "Logged out of ghcr.io" in step.log.text()
    assert api.calls() == ["logout", "poll"]
    assert api.audit_trail[0].context["actor"] == runner.profile.variables["GITHUB_ACTOR"]
    assert (step.state, step.outputs) == ({}, {})


def test_a_logout_that_is_refused_is_red(make_logout: MakeLogout) -> None:
    """Here the logout is the main thing: the job must know that it failed, and what to do."""
    with play(logout({"status": 403, "body": {"detail": "Not allowed"}})) as api:
        step = make_logout(api).main()

    assert step.exit_code == 1
    [(level, message)] = step.log.annotations
    assert level == "error"
    for said in ("may still be logged in to ghcr.io", "Not allowed", "registry_logout"):
        assert said in message


def test_to_be_logged_out_already_is_good(make_logout: MakeLogout) -> None:
    """A server that nobody had logged in is one that is logged out."""
    answer = {"body": {"operation_id": "<logout_operation>"}}
    done = {"status": "failed", "result": {"exit_code": 1, "stderr": "Not logged in to ghcr.io"}}
    with play(logout(answer), polls("logout", done)) as api:
        assert make_logout(api).main().exit_code == 0


@pytest.mark.parametrize("name", ["api_key", "server_id", "registry_url"])
def test_a_missing_input_is_named(fake_api: Play, make_logout: MakeLogout, name: str) -> None:
    """Nothing is sent, and the error names the input."""
    api = fake_api()

    step = make_logout(api, **{name: ""}).main()

    assert step.exit_code == 1
    assert step.log.annotations[0][1].startswith(f"The input {name} is missing or empty")
    assert api.requests == []


@on_github
def test_a_cancel_ends_it(make_logout: MakeLogout) -> None:
    """Nothing is left to be undone, so that a cancel is obeyed at once."""
    with play(without_end(logout(STALL))) as api:
        stage = make_logout(api).begin("main")
        while not api.requests:
            threading.Event().wait(0.01)
        stage.signal(signal.SIGINT)
        assert stage.wait().exit_code == 130


def test_its_action_yml_is_sound() -> None:
    """It is started by the launcher, has no post, and its defaults are those of the code."""
    metadata = yaml.safe_load((ROOT / "logout" / "action.yml").read_text("utf-8"))

    assert metadata["runs"] == {"using": "node24", "main": "main.cjs"}
    assert (ROOT / "logout" / "main.cjs").is_file()
    assert set(metadata["inputs"]) == {"api_key", "server_id", "registry_url", "api_url"}
    assert metadata["inputs"]["api_url"]["default"] == DEFAULT_API_URL
    assert len(metadata["description"]) < 125
