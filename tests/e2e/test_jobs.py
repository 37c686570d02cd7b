"""Jobs of several steps, and jobs that something is wrong with, on each runner."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.e2e.conftest import API_KEY, CREDENTIAL_ID, SERVER_ID, MakeRunner
from tests.fake_api import FakeApi, recording
from tests.integration.conversation import accepted, login, logout, play, polls
from tests.runner import Profile, Runner, StageResult

REGISTRIES = {
    "ghcr": "ghcr.io",
    "docker-hub": "docker.io",
    "aws-ecr": "123456789012.dkr.ecr.eu-central-1.amazonaws.com",
    "azure-acr": "contoso.azurecr.io",
    "harbor": "harbor.example.com",
}


def run_job(steps: list[Runner]) -> list[StageResult]:
    """Run the steps of a job in their order, and then what they do at its end, in the other."""
    mains = [step.main() for step in steps]
    return [*mains, *(step.post() for step in reversed(steps))]


@pytest.mark.parametrize("count", [2, 5])
def test_each_of_many_logins_is_logged_out_of_its_own_registry(
    tmp_path: Path, profile: Profile, count: int
) -> None:
    """The last login is logged out first, and each has its own state."""
    names = list(REGISTRIES)[:count]
    given = {"api_key": API_KEY, "server_id": SERVER_ID, "credential_id": CREDENTIAL_ID}
    with FakeApi([recording.load(name) for name in names]) as api:
        steps = [
            Runner(tmp_path, {**given, "api_url": api.url}, profile=profile) for _ in range(count)
        ]
        results = run_job(steps)
    api.verify()

    assert [result.exit_code for result in results] == [0] * (2 * count)
    assert [result.log.annotations for result in results] == [[]] * (2 * count)
    logouts = [seen.body for seen in api.requests if seen.path.endswith("/logout")]
    expected = [REGISTRIES[name] for name in reversed(names)]
    assert [body["registry_url"] for body in logouts] == expected


def test_the_same_registry_twice_is_logged_out_twice(make_runner: MakeRunner) -> None:
    """The second logout finds nobody logged in, which is what it is for."""
    done = {"status": "completed", "result": {"exit_code": 0}}
    stderr = "Not logged in to ghcr.io\n"
    nobody = {"status": "failed", "result": {"exit_code": 1, "stderr": stderr}}
    taken_on = {"body": {"operation_id": "<logout_operation>"}}
    conversations = [
        play(login(accepted()), polls("login", done), logout(taken_on), polls("logout", end))
        for end in (done, nobody)
    ]
    # The first login is logged out last.
    first, second = conversations
    with second, first:
        results = run_job([make_runner(second), make_runner(first)])
    first.verify()
    second.verify()

    assert [result.exit_code for result in results] == [0] * 4
    assert [result.log.annotations for result in results] == [[]] * 4


def test_a_login_that_may_fail_leaves_the_others_alone(make_runner: MakeRunner) -> None:
    """With `continue-on-error` a job goes on: only the login that worked is logged out."""
    with FakeApi([recording.load("key-not-allowed"), recording.load("ghcr")]) as api:
        refused, good, *posts = run_job([make_runner(api), make_runner(api)])
    api.verify()

    assert (refused.exit_code, good.exit_code) == (1, 0)
    assert [post.exit_code for post in posts] == [0, 0]
    assert [post.log.annotations for post in posts] == [[], []]


def test_a_reusable_workflow_without_its_callers_secrets_is_told(make_runner: MakeRunner) -> None:
    """Without `secrets: inherit` the key is empty: the error says so, and nothing is sent."""
    with FakeApi([]) as api:
        runner = make_runner(api, api_key="")
        main, post = runner.main(), runner.post()

    [(level, message)] = main.log.annotations
    assert (main.exit_code, level, api.requests) == (1, "error", [])
    assert message.startswith("The input api_key is missing or empty")
    assert "a reusable workflow's only with `secrets: inherit`" in message
    assert (post.exit_code, post.log.annotations) == (0, [])


@pytest.fixture
def without_python(tmp_path: Path) -> dict[str, str]:
    """Give the environment of a container that has Node and no Python."""
    node = shutil.which("node")
    assert node
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "node").symlink_to(node)
    return {"PATH": str(folder)}


def test_a_job_without_python_says_what_to_do(
    make_runner: MakeRunner, without_python: dict[str, str]
) -> None:
    """Main fails with the step to add, nothing is sent, and post fails no job."""
    with FakeApi([]) as api:
        runner = make_runner(api, environment=without_python)
        main, post = runner.main(), runner.post()

    [(level, message)] = main.log.annotations
    assert (main.exit_code, level, api.requests) == (1, "error", [])
    for said in ("Python 3.10", "found none", "Add a step with actions/setup-python before"):
        assert said in message
    assert post.exit_code == 0
    assert [level for level, _ in post.log.annotations] == ["warning"]


def test_a_python_that_is_gone_at_the_end_is_a_warning(
    make_runner: MakeRunner, without_python: dict[str, str]
) -> None:
    """Where a step has taken Python off PATH since, post says that it could not log out."""
    with FakeApi([recording.load("login-only")]) as api:
        runner = make_runner(api)
        assert runner.main().exit_code == 0
        runner.set(without_python)
        post = runner.post()
    api.verify()

    [(level, message)] = post.log.annotations
    assert (post.exit_code, level) == (0, "warning")
    assert "actions/setup-python" in message
