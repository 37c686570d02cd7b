"""A job with the action as its step, as each of four runners starts it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pytest

from tests.conftest import Play
from tests.e2e.conftest import CREDENTIAL_ID, SERVER_ID, VAULT, MakeRunner, run_job
from tests.e2e.jobs import STEP, stages
from tests.fake_api import FakeApi, load
from tests.runner import ACT, FORGEJO, GITEA, GITHUB, PROFILES, Profile, Runner, Stage, StageResult

# act's runners take the last `::` of a line for the end of a command's name.
KEY = "rca_Zm9vYmFy::0123456789abc"


class Job(NamedTuple):
    """A job that has run."""

    profile: Profile
    api: FakeApi
    main: StageResult
    post: StageResult


@pytest.fixture(scope="module", params=PROFILES, ids=str)
def job(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Job]:
    """Run a login and its logout. For post the inputs have other values."""
    with FakeApi([load("ghcr")]) as api:

        def inputs(stage: Stage) -> Mapping[str, str]:
            given = {**VAULT, "api_key": KEY, "api_url": api.url, "timeout": ""}
            other = {"server_id": CREDENTIAL_ID, "cleanup": "false", "api_url": "https://invalid"}
            return {**given, **other} if stage == "post" else given

        runner = Runner(tmp_path_factory.mktemp("job"), inputs, profile=request.param)
        yield Job(request.param, api, *run_job(runner))
        api.verify()


def test_requests_contain_inputs_and_run_context(job: Job) -> None:
    """Post relies on the state, whatever its inputs are."""
    login, logout = (seen.body for seen in job.api.requests if seen.method == "POST")
    context = login["run_context"]
    is_gitea = job.profile in {GITEA, FORGEJO}
    assert login["server_id"] == logout["server_id"] == SERVER_ID
    assert (login["credential_id"], logout["registry_url"]) == (CREDENTIAL_ID, "ghcr.io")
    assert context["provider"] == ("gitea_actions" if is_gitea else "github_actions")
    assert context["repository"] == job.profile.variables["GITHUB_REPOSITORY"]
    assert (context, login["run_id"]) == (logout["run_context"], logout["run_id"])
    assert {seen.headers["Authorization"] for seen in job.api.requests} == {f"Bearer {KEY}"}


def test_state_and_outputs_reach_the_runner(job: Job) -> None:
    """The files have no empty line, no CR and no long line, which runners parse differently."""
    operation_id = job.api.requests[1].path.rpartition("/")[2]
    expected = {"registry_url": "ghcr.io", "registry_type": "ghcr", "operation_id": operation_id}
    lines = job.main.state_text.removesuffix("\n").split("\n")
    assert (job.main.outputs, job.post.outputs) == (expected, {})
    assert (set(job.main.state), set(job.post.state)) == ({"login"}, set())
    assert stages(job.main.state_text) == ["none", "requested", "accepted", "succeeded"]
    assert all(line and "\r" not in line and len(line) < 64 * 1024 for line in lines)


def test_key_is_masked_first_and_the_log_is_plain_text(job: Job) -> None:
    """Also on a terminal. Forgejo's runner passes the job's token on, which is not in it."""
    pieces = [KEY] if job.profile is GITHUB else KEY.split("::")
    secrets = [*pieces, "\x1b", "\r", job.profile.variables.get("GITHUB_TOKEN", KEY)]
    for result in (job.main, job.post):
        lines = result.output.splitlines(keepends=True)
        assert lines[: len(pieces)] == [f"::add-mask::{piece}\n" for piece in pieces]
        assert not any(text in line for line in lines[len(pieces) :] for text in secrets)
        assert set(pieces) <= result.log.masks


@pytest.mark.parametrize("profile", [GITHUB, ACT], ids=str)
def test_two_logins_in_a_composite_are_both_logged_out(
    fake_api: Play, make_runner: MakeRunner
) -> None:
    """They share GITHUB_ACTION, and in act their command files too."""
    api = fake_api("ghcr", "docker-hub")
    first, second = (make_runner(api, environment=STEP, composites=[{}]) for _ in range(2))
    results = [first.main(), second.main(), second.post(), first.post()]
    assert [(result.exit_code, result.log.annotations) for result in results] == [(0, [])] * 4
    logouts = [seen.body["registry_url"] for seen in api.requests if "logout" in seen.path]
    assert logouts == ["docker.io", "ghcr.io"]
