"""Post's conversations with the API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from lib.errors import LogoutFailed
from tests.conftest import Play
from tests.fake_api import FakeApi
from tests.integration.conftest import MakeJob
from tests.integration.conversation import accepted, login, logout, play, polls
from tests.integration.job import KEY, SERVER_ID
from tests.unit.fake_clock import FakeClock

DONE = {"status": "completed", "result": {"exit_code": 0}}
RUNNING = {"status": "running"}
TAKEN_ON = {"body": {"operation_id": "<logout_operation>", "status": "running"}}


def after_a_login(*exchanges: dict[str, Any]) -> FakeApi:
    """Make an API with a login that works, and what follows it."""
    return play(login(accepted()), polls("login", DONE), *exchanges)


def endless(name: str, **operation: object) -> dict[str, Any]:
    """Make polls of an operation that stays as it is."""
    once = polls(name, operation)
    return {**once, "times": {"least": 1}}


def test_a_logout_without_an_operation_is_done(fake_api: Play, make_job: MakeJob) -> None:
    """A 204 means that there is nothing to wait for."""
    api = fake_api("logout-without-operation")
    job = make_job(api.url)
    assert job.main().code == 0
    post = job.post()
    assert post.code == 0
    assert post.log[-1].startswith(f"Logged out of ghcr.io on server {SERVER_ID} in ")
    assert api.calls() == ["login", "poll", "logout"]


def test_a_logout_that_is_not_allowed_is_one_warning(fake_api: Play, make_job: MakeJob) -> None:
    """It says what stays logged in, the API's words, what to run, and what the key lacks."""
    api = fake_api("logout-not-allowed")
    job = make_job(api.url)
    assert job.main().code == 0
    post = job.post()
    assert post.code == 0
    assert post.annotations("error") == []
    (warning,) = post.annotations("warning")
    parts = [
        f"Server {SERVER_ID} may still be logged in to ghcr.io",
        "(403)",
        "Operation registry_logout not allowed for this key.",
        "To log it out now, run `docker logout ghcr.io` on that server, as the user of Reoclo's ",
        "the operation registry_logout",
        f"(Operation {job.outputs()[0][1]}.)",
    ]
    places = [warning.index(part) for part in parts]
    assert places == sorted(places)
    assert api.calls() == ["login", "poll", "logout"]


@pytest.mark.parametrize(
    "operation",
    [
        {"status": "failed", "result": {"exit_code": 1, "stderr": "Not logged in to ghcr.io"}},
        {"status": "completed", "result": {"exit_code": 1, "stdout": "not logged in to ghcr.io"}},
    ],
)
def test_to_be_logged_out_already_is_to_be_logged_out(
    make_job: MakeJob, operation: Mapping[str, object]
) -> None:
    """Another job on the same server may have been quicker."""
    with after_a_login(logout(TAKEN_ON), polls("logout", operation)) as api:
        job = make_job(api.url)
        job.main_on_fake_time()
        assert job.post_on_fake_time(FakeClock())[-1].startswith("Logged out of ghcr.io")
        api.verify()


@pytest.mark.parametrize(
    ("operation", "told"),
    [
        ({"status": "failed", "result": {"exit_code": 1, "stderr": "::error::no docker\n"}},
         "the server could not do it (status failed): : :error: :no docker."),
        ({"status": "timeout", "result": None}, "the server could not do it (status timeout)."),
        ({"status": "completed", "result": {"exit_code": 127}},
         "the server could not do it (status completed)."),
        ({"status": "completed"}, "the server could not do it (status completed)."),
    ],
)  # fmt: skip
def test_a_logout_that_fails_on_the_server_is_a_warning(
    make_job: MakeJob, operation: Mapping[str, object], told: str
) -> None:
    """The warning has the server's words and the command to run by hand."""
    with after_a_login(logout(TAKEN_ON), polls("logout", operation)) as api:
        job = make_job(api.url)
        job.main_on_fake_time()
        post = job.post()
        api.verify()
    assert post.code == 0
    (warning,) = post.annotations("warning")
    assert f"may still be logged in to ghcr.io: {told} To log it out now, run" in warning
    assert "`docker logout ghcr.io` on that server" in warning
    assert warning.endswith(f"(Operation {api.requests[3].path.rpartition('/')[2]}.)")


def test_a_logout_that_does_not_end_is_given_up_on_in_time(make_job: MakeJob) -> None:
    """Post ends within 30 s and says what is not known."""
    with after_a_login(logout(TAKEN_ON), endless("logout", **RUNNING)) as api:
        job = make_job(api.url)
        job.main_on_fake_time()
        clock = FakeClock()
        with pytest.raises(LogoutFailed, match="has not ended after 24 s"):
            job.post_on_fake_time(clock)
        api.verify()
    assert sum(clock.sleeps) <= 30


def test_a_logout_is_tried_again(make_job: MakeJob) -> None:
    """Passing faults do not leave the server logged in."""
    faults = [{"status": 502, "body": ""}, {"status": 429, "body": {"detail": "slow"}}]
    with after_a_login(logout(*faults, TAKEN_ON), polls("logout", RUNNING, DONE)) as api:
        job = make_job(api.url)
        job.main_on_fake_time()
        clock = FakeClock()
        assert job.post_on_fake_time(clock)[-1].startswith("Logged out of ghcr.io")
        api.verify()
    assert len(clock.sleeps) == 3


def test_a_logout_that_goes_on_failing_is_told_with_its_attempts(make_job: MakeJob) -> None:
    """Five attempts, then a warning."""
    down = {"status": 500, "body": {"detail": "database is down"}}
    with after_a_login(logout(*[down] * 5)) as api:
        job = make_job(api.url)
        job.main_on_fake_time()
        with pytest.raises(LogoutFailed) as caught:
            job.post_on_fake_time(FakeClock())
        api.verify()
    assert "(500)" in str(caught.value)
    assert "database is down" in str(caught.value)
    assert "docker logout ghcr.io" in str(caught.value)


def test_a_login_that_is_still_going_is_waited_for(fake_api: Play, make_job: MakeJob) -> None:
    """A late login would land after the logout; ten seconds are kept for the logout."""
    api = fake_api("endless-login")
    job = make_job(api.url)
    with pytest.raises(Exception, match="has not ended"):
        job.main_on_fake_time()
    before = len(api.requests)
    clock = FakeClock()
    with pytest.raises(
        LogoutFailed, match=r"was logged out of ghcr\.io, but its login may"
    ) as caught:
        job.post_on_fake_time(clock)
    assert "docker logout ghcr.io" in str(caught.value)
    assert 10 <= sum(clock.sleeps) <= 15
    assert len(api.requests) > before + 3


def test_a_login_that_cannot_be_asked_about_is_logged_out(make_job: MakeJob) -> None:
    """Where its end stays unknown, a logout is the safe thing, and the doubt is told."""
    unknown = {"status": 404, "body": {"detail": "Operation not found"}}
    poll = polls("login", {})
    poll = {**poll, "times": {"least": 2}, "responses": [unknown]}
    conversation = play(login(accepted()), poll, logout({"status": 204}))
    with conversation as api:
        job = make_job(api.url)
        with pytest.raises(Exception, match="does not know"):
            job.main_on_fake_time()
        with pytest.raises(LogoutFailed, match=r"was logged out of ghcr\.io, but its login may"):
            job.post_on_fake_time(FakeClock())
        api.verify()


def test_a_lost_login_is_one_warning_and_no_request(make_job: MakeJob) -> None:
    """A login that was answered by the gateway may have worked; its registry is not known."""
    with play(login(*[{"status": 504, "body": "<html>"}] * 5)) as api:
        job = make_job(api.url)
        with pytest.raises(Exception, match=r"\(504"):
            job.main_on_fake_time()
        assert job.stages() == ["requested"]
        post = job.post()
        api.verify()
    assert post.code == 0
    (warning,) = post.annotations("warning")
    assert warning.startswith("A login with the credential ")
    assert len(api.requests) == 5


def test_a_lost_login_is_logged_out_where_the_registry_is_known(make_job: MakeJob) -> None:
    """Nothing can be asked of a login without an operation, but it can be undone."""
    with play(logout({"status": 204})) as api:
        state = {
            "version": 1,
            "stage": "requested",
            "server_id": SERVER_ID,
            "credential_id": "",
            "api_url": api.url,
            "cleanup": True,
            "registry_url": "ghcr.io",
        }
        post = make_job(api.url).post(STATE_login=json.dumps(state))

    api.verify()
    [warning] = post.annotations("warning")
    assert "was logged out of ghcr.io, but its login may have ended after that" in warning


def test_post_acts_on_the_state_and_not_on_its_inputs(fake_api: Play, make_job: MakeJob) -> None:
    """Inputs that are evaluated again may say something else."""
    api = fake_api("ghcr")
    job = make_job(api.url)
    assert job.main().code == 0
    post = job.post(
        INPUT_SERVER_ID="99999999-9999-4999-8999-999999999999",
        INPUT_API_URL="http://127.0.0.1:9",
        INPUT_CLEANUP="false",
        INPUT_CREDENTIAL_ID="",
    )
    assert post.annotations("warning") == []
    assert api.requests[2].body["server_id"] == SERVER_ID
    assert api.requests[2].headers["Authorization"] == f"Bearer {KEY}"


def test_a_logout_on_its_own_needs_no_login(fake_api: Play, make_job: MakeJob) -> None:
    """The action that only logs out says what it does, and that it is done."""
    ended = make_job(fake_api("logout-only").url, INPUT_REGISTRY_URL="ghcr.io").logout()
    assert ended.code == 0
    begun, done = ended.log[-2:]
    assert begun == f"Logging server {SERVER_ID} out of ghcr.io."
    assert done.startswith(f"Logged out of ghcr.io on server {SERVER_ID} in ")


def test_a_logout_on_its_own_fails_the_step(make_job: MakeJob) -> None:
    """What post tells as a warning is an error here."""
    with play(logout({"status": 403, "body": {"detail": "No"}})) as api:
        ended = make_job(api.url, INPUT_REGISTRY_URL="ghcr.io").logout()
    assert ended.code == 1
    assert "docker logout ghcr.io" in ended.annotations("error")[0]
