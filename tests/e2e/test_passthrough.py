"""Passthrough mode: the workflow's own user name and token take the place of credential_id."""

from __future__ import annotations

import threading

import pytest

from tests.conftest import Play
from tests.e2e.conftest import API_KEY, CREDENTIAL_ID, SERVER_ID, MakeRunner
from tests.fake_api import FakeApi, recording

TOKEN = "ghp_0123456789abcdef"
OWN = {
    "credential_id": "",
    "username": "octocat",
    "access_token": TOKEN,
    "registry_url": "registry.example.com:5000",
}


def test_the_workflows_own_credential_logs_in_and_out(
    fake_api: Play, make_runner: MakeRunner
) -> None:
    """The token is in the body of one request and nowhere else; the logout needs none."""
    api = fake_api("passthrough")
    runner = make_runner(api, **OWN)

    main = runner.main()
    post = runner.post()

    assert (main.exit_code, post.exit_code) == (0, 0)
    assert main.log.annotations == post.log.annotations == []
    assert main.outputs["registry_url"] == OWN["registry_url"]
    assert api.calls() == ["login-direct", "poll", "logout", "poll"]
    first, *others = api.requests
    assert first.body["username"] == "octocat"
    assert first.body["access_token"] == TOKEN
    assert TOKEN not in "".join(f"{seen} {seen.headers}" for seen in others)
    assert f"in to {OWN['registry_url']} with the workflow's own token" in main.log.text()


def test_every_line_of_the_token_is_masked_first(fake_api: Play, make_runner: MakeRunner) -> None:
    """A key file of several lines is masked line by line, in main and in post."""
    token = '{\n  "type": "service_account",\n  "private_key": "Zk9x8s7d6f5"\n}'
    runner = make_runner(fake_api("passthrough"), **{**OWN, "access_token": token})

    for result in (runner.main(), runner.post()):
        assert result.output.splitlines()[:3] == [
            f"::add-mask::{API_KEY}",
            '::add-mask::"type": "service_account",',
            '::add-mask::"private_key": "Zk9x8s7d6f5"',
        ]
        assert "Zk9x8s7d6f5" not in result.log.text()
        assert "Zk9x8s7d6f5" not in result.state_text


def test_a_key_without_passthrough_is_told(fake_api: Play, make_runner: MakeRunner) -> None:
    """A 403 names what the key needs in this mode."""
    runner = make_runner(fake_api("passthrough-not-allowed"), **OWN)

    main = runner.main()
    post = runner.post()

    assert main.exit_code == 1
    [(_, message)] = main.log.annotations
    assert "registry passthrough and the operation registry_login" in message
    assert (post.exit_code, post.log.annotations) == (0, [])


def test_a_lost_answer_is_cleaned_up(fake_api: Play, make_runner: MakeRunner) -> None:
    """The registry is known before the request, so that post can log out without an answer."""
    api = fake_api("passthrough-lost")
    runner = make_runner(api, **OWN)

    stage = runner.begin("main")
    while not api.requests:
        threading.Event().wait(0.01)
    stage.end()
    post = runner.post()

    assert post.exit_code == 0
    [(level, message)] = post.log.annotations
    assert level == "warning"
    assert f"was logged out of {OWN['registry_url']}, but its login may have ended" in message
    assert api.requests[1].body["registry_url"] == OWN["registry_url"]


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"credential_id": ""}, "The inputs name no credential"),
        ({**OWN, "credential_id": CREDENTIAL_ID}, "The inputs name two credentials"),
        ({**OWN, "access_token": ""}, "The input access_token is missing or empty, with username"),
        ({**OWN, "username": "", "registry_url": ""}, "The inputs username and registry_url are"),
        ({**OWN, "registry_url": "not a registry"}, "The input registry_url is not the address"),
    ],
)
def test_none_both_and_half_of_the_modes_are_refused(
    fake_api: Play, make_runner: MakeRunner, inputs: dict[str, str], said: str
) -> None:
    """Nothing is sent, nothing is saved, and the error names what is missing."""
    api = fake_api()
    runner = make_runner(api, **inputs)

    main = runner.main()

    assert main.exit_code == 1
    [(level, message)] = main.log.annotations
    assert level == "error"
    assert message.startswith(said)
    assert TOKEN not in main.log.text()
    assert (main.state, api.requests) == ({}, [])


def test_a_registry_that_refuses_points_to_the_inputs(make_runner: MakeRunner) -> None:
    """What is wrong is wrong in the workflow, not in a credential that is stored."""
    with FakeApi([recording.load("passthrough-refused")]) as api:
        main = make_runner(api, **OWN).main()

    [(_, message)] = main.log.annotations
    assert "correct them in the inputs username, access_token and registry_url" in message
    assert SERVER_ID in main.log.text()
