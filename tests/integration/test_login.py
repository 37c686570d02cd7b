"""Main's conversations with the API."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Mapping

import pytest

from lib.errors import ApiError, LoginFailed, LogoutFailed, OperationUnfinished
from lib.text import QUOTE_LIMIT
from tests.conftest import Play
from tests.fake_api import FakeApi, recording
from tests.integration.conftest import MakeJob
from tests.integration.conversation import accepted, login, passthrough, play, polls
from tests.integration.job import CONTEXT, CREDENTIAL_ID, KEY, LOGIN_BODY, SERVER_ID
from tests.unit.fake_clock import FakeClock

REGISTRIES = [
    ("aws-ecr", "123456789012.dkr.ecr.eu-central-1.amazonaws.com", "aws_ecr"),
    ("azure-acr", "contoso.azurecr.io", "azure_acr"),
    ("docker-hub", "docker.io", "docker_hub"),
    ("generic", None, "generic"),
    ("ghcr", "ghcr.io", "ghcr"),
    ("google-artifact-registry", None, "google_artifact_registry"),
    ("harbor", "harbor.example.com", "harbor"),
]
ALL = ["login", "poll", "logout", "poll"]


def registry_of(name: str) -> str:
    """Give the registry's address as the recording has it."""
    accepted = recording.load(name).exchanges[0].responses[-1].body
    return str(accepted["registry_url"])


def composed(*operations: Mapping[str, object]) -> FakeApi:
    """Make an API that accepts a login and tells this of it, one after the other."""
    return play(login(accepted()), polls("login", *operations))


@pytest.mark.parametrize(("name", "registry", "kind"), REGISTRIES)
def test_a_login_and_its_logout(
    fake_api: Play, make_job: MakeJob, name: str, registry: str | None, kind: str
) -> None:
    """Outputs, states, requests and log of a login that works are exactly these."""
    api = fake_api(name)
    job = make_job(api.url)
    registry = registry or registry_of(name)

    main = job.main()

    assert main.code == 0
    assert main.annotations("error") == main.annotations("warning") == []
    assert main.log[0] == f"::add-mask::{KEY}"
    outputs = job.outputs()
    operation = outputs[0][1]
    assert outputs == [
        ("operation_id", operation),
        ("registry_url", registry),
        ("registry_type", kind),
    ]
    assert api.calls() == ["login", "poll"]
    assert api.requests[0].body == LOGIN_BODY
    assert {seen.headers["Authorization"] for seen in api.requests} == {f"Bearer {KEY}"}
    assert api.requests[1].path == f"/api/automation/v1/operations/{operation}"
    known = {"operation_id": operation, "registry_url": registry}
    unknown = {"operation_id": "", "registry_url": ""}
    saved = {
        "version": 1,
        "server_id": SERVER_ID,
        "credential_id": CREDENTIAL_ID,
        "api_url": api.url,
        "cleanup": True,
        "is_repeated": False,
        "api_key": "",
    }
    assert job.states() == [
        {**saved, "stage": "requested", **unknown},
        {**saved, "stage": "accepted", **known},
        {**saved, "stage": "succeeded", **known},
    ]
    assert f"Logged in to {registry} on server build-1 in " in "\n".join(main.log)
    assert KEY not in "".join(main.log[1:])

    post = job.post()

    assert post.code == 0
    assert post.annotations("warning") == []
    assert api.calls() == ALL
    assert api.requests[2].body == {
        "server_id": SERVER_ID,
        "registry_url": registry,
        "run_id": "42",
        "run_context": CONTEXT,
    }
    assert f"Logged out of {registry} on server {SERVER_ID} in " in "\n".join(post.log)


def test_a_run_that_is_not_known_sends_only_what_it_must(fake_api: Play, make_job: MakeJob) -> None:
    """Commit, ref and run are left out where they are unknown; the other five stay."""
    api = fake_api("login-only")
    names = ["REPOSITORY", "WORKFLOW", "EVENT_NAME", "ACTOR", "SHA", "REF", "RUN_ID"]
    nothing = {f"GITHUB_{name}": None for name in names}
    job = make_job(api.url, INPUT_CLEANUP="false", GITEA_ACTIONS="true", **nothing)
    assert job.main().code == 0
    assert api.requests[0].body == {
        "server_id": SERVER_ID,
        "credential_id": CREDENTIAL_ID,
        "run_context": {
            "provider": "gitea_actions",
            "repository": "",
            "workflow": "",
            "trigger": "",
            "actor": "",
        },
    }


def test_a_login_that_stays_is_not_logged_out(fake_api: Play, make_job: MakeJob) -> None:
    """With cleanup: false both steps say that the server stays logged in."""
    api = fake_api("login-only")
    job = make_job(api.url, INPUT_CLEANUP="false")
    main, post = job.main(), job.post()
    assert (main.code, post.code) == (0, 0)
    assert "stays logged in" in main.log[-1]
    assert "cleanup: false" in post.log[-1]
    assert api.calls() == ["login", "poll"]


@pytest.mark.parametrize(
    ("name", "said", "remedy"),
    [
        ("key-rejected", "(401): Invalid or revoked API key", "has not been revoked"),
        ("key-not-allowed", "(403): Credential not in scope for this key",
         "this credential and the operation registry_login"),
        ("not-found", "(404): Server not found", "Check server_id and credential_id"),
        ("unprocessable", "(422): server_id: Input should be a valid UUID", "Correct the input"),
        ("rate-limit-exceeded",
         "(429), and asks to wait 7200 s: Rate limit exceeded for this key", "rate limit"),
    ],
)  # fmt: skip
def test_a_login_that_the_api_refuses(
    fake_api: Play, make_job: MakeJob, name: str, said: str, remedy: str
) -> None:
    """One error with the API's words and what to do; post knows that nothing was done."""
    api = fake_api(name)
    job = make_job(api.url)
    main = job.main()
    assert main.code == 1
    (error,) = main.annotations("error")
    assert f"{said}." in error
    assert error.index(said) < error.index(remedy)
    assert job.stages() == ["requested", "failed"]
    assert job.outputs() == []
    post = job.post()
    assert post.code == 0
    assert post.log[-1] == "Nothing to log out: the login did not work."
    assert api.calls() == ["login"]


def test_a_rate_limit_that_passes_is_waited_for(fake_api: Play, make_job: MakeJob) -> None:
    """The login is sent again after the time that the API asks for, and told in the log."""
    api = fake_api("rate-limited")
    job = make_job(api.url)
    log = job.main_on_fake_time()
    assert [request.status for request in api.requests] == [429, 202, 200]
    assert any("too many requests" in line and "Trying again in" in line for line in log)
    assert job.stages() == ["requested", "accepted", "succeeded"]
    job.post_on_fake_time(FakeClock())


@pytest.mark.parametrize(
    ("name", "said", "remedy"),
    [
        ("refused-by-registry", "unauthorized: authentication required", "user name and password"),
        ("refused-late", "denied: denied", "has expired, or lacks the right to this registry"),
    ],
)
def test_a_login_that_the_registry_refuses(
    fake_api: Play, make_job: MakeJob, name: str, said: str, remedy: str
) -> None:
    """Docker's words are in the log and in the one error, with what they mean."""
    api = fake_api(name)
    job = make_job(api.url)
    main = job.main()
    assert main.code == 1
    (error,) = main.annotations("error")
    assert error.startswith("The login to ghcr.io on server build-1 failed (exit code 1, ")
    assert error.index(said) < error.index(remedy) < error.index("(Operation ")
    assert "What docker said on the server:" in main.log
    assert any(line.startswith("  | ") and said in line for line in main.log)
    assert job.stages() == ["requested", "accepted", "failed"]
    assert [name for name, _ in job.outputs()] == ["operation_id", "registry_url", "registry_type"]
    assert job.post().log[-1] == "Nothing to log out: the login did not work."
    assert api.calls() == ["login", "poll"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("no-result", "without saying how it went (status completed)"),
        ("server-timeout", "took longer than Reoclo waits for"),
    ],
)
def test_a_login_that_may_have_worked_is_logged_out(
    fake_api: Play, make_job: MakeJob, name: str, told: str
) -> None:
    """Main fails, each time with its own words, and post undoes what may have been done."""
    api = fake_api(name)
    job = make_job(api.url)
    main = job.main()
    assert main.code == 1
    (error,) = main.annotations("error")
    assert told in error
    assert error.endswith(f"(Operation {job.outputs()[0][1]}.)")
    assert job.stages() == ["requested", "accepted"]
    post = job.post()
    assert api.calls() == ALL
    if name == "server-timeout":
        [warning] = post.annotations("warning")
        assert "was logged out of ghcr.io, but its login may have ended after that" in warning
    else:
        assert post.log[-1].startswith("Logged out of ghcr.io")


@pytest.mark.parametrize("name", ["slow-login", "slow-answer"])
def test_a_login_that_takes_its_time_is_waited_for(
    fake_api: Play, make_job: MakeJob, name: str
) -> None:
    """Two seconds are no reason to fail."""
    api = fake_api(name)
    job = make_job(api.url)
    assert job.main().code == 0
    assert job.stages() == ["requested", "accepted", "succeeded"]
    assert job.post().code == 0
    assert api.calls() == ALL


def test_a_login_that_does_not_end_is_given_up_on(fake_api: Play, make_job: MakeJob) -> None:
    """The error names the operation, its last status and the time; post logs out all the same."""
    api = fake_api("endless-login")
    job = make_job(api.url)
    with pytest.raises(OperationUnfinished) as caught:
        job.main_on_fake_time()
    assert "has not ended after 300 s; its last status was running" in str(caught.value)
    assert caught.value.operation_id == job.outputs()[0][1]
    assert job.stages() == ["requested", "accepted"]
    clock = FakeClock()
    with pytest.raises(LogoutFailed, match=r"was logged out of ghcr\.io, but"):
        job.post_on_fake_time(clock)
    assert sum(clock.sleeps) <= 30
    assert api.calls() == ALL


def test_the_timeout_of_the_user_is_the_time_it_takes(fake_api: Play, make_job: MakeJob) -> None:
    """A timeout of a second makes the step red after one."""
    api = fake_api("endless-login")
    job = make_job(api.url, INPUT_TIMEOUT="1")
    main = job.main()
    assert main.code == 1
    (error,) = main.annotations("error")
    assert error.startswith("The operation has not ended after 1 s; its last status was running.")
    with pytest.raises(LogoutFailed, match=r"was logged out of ghcr\.io, but"):
        job.post_on_fake_time(FakeClock())


@pytest.mark.parametrize(("path", "saved"), [("/actions/outer", KEY), ("", ""), (None, "")])
def test_the_key_is_saved_only_inside_a_composite_action(
    fake_api: Play, make_job: MakeJob, path: str | None, saved: str
) -> None:
    """There, and only there, post cannot rely on its inputs."""
    api = fake_api("ghcr")
    job = make_job(api.url, GITHUB_ACTION_PATH=path)
    assert job.main().code == 0
    assert {state["api_key"] for state in job.states()} == {saved}
    assert job.post(INPUT_API_KEY="rca_of_another_context" if saved else KEY).code == 0
    assert {seen.headers["Authorization"] for seen in api.requests} == {f"Bearer {KEY}"}


def test_nothing_is_sent_that_post_could_not_undo(fake_api: Play, make_job: MakeJob) -> None:
    """Without a file for the state no login is asked for."""
    api = fake_api()
    main = make_job(api.url, GITHUB_STATE=None).main()
    assert main.code == 1
    assert "GITHUB_STATE" in main.annotations("error")[0]
    assert api.requests == []


def test_a_busy_api_that_names_a_time_too_late_took_no_login_on(make_job: MakeJob) -> None:
    """A maintenance window is no lost answer: post warns of nothing."""
    with play(login({"status": 503, "headers": {"Retry-After": "7200"}, "body": ""})) as api:
        job = make_job(api.url)
        assert job.main().code == 1
        assert job.stages() == ["requested", "failed"]
        post = job.post()
        api.verify()

    assert post.annotations("warning") == []
    assert post.log[-1] == "Nothing to log out: the login did not work."


def test_a_login_without_a_file_for_outputs_is_logged_out(make_job: MakeJob) -> None:
    """The state is saved before the outputs, so that post knows of the login."""
    with FakeApi([recording.load("ghcr")]) as api:
        job = make_job(api.url, GITHUB_OUTPUT=None)
        main = job.main()
        assert main.code == 1
        assert "GITHUB_OUTPUT" in main.annotations("error")[0]
        assert job.stages() == ["requested", "accepted"]
        assert job.post().log[-1].startswith("Logged out of ghcr.io")
        api.verify()


def cancel_after(requests: int, api: FakeApi, number: signal.Signals) -> None:
    """Send this process a signal as soon as an API has had so many requests."""

    def cancel() -> None:
        while len(api.requests) < requests:
            time.sleep(0.01)
        signal.raise_signal(number)

    threading.Thread(target=cancel, daemon=True).start()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_cancel_while_the_login_is_sent_waits_for_its_answer(
    fake_api: Play, make_job: MakeJob, number: signal.Signals
) -> None:
    """The state knows of the login, and post undoes it."""
    api = fake_api("slow-answer")
    job = make_job(api.url)

    cancel_after(1, api, number)
    main = job.main()
    assert main.code == 130
    assert main.annotations("error") == []
    assert main.log[-1].startswith("Cancelled.")
    assert job.stages() == ["requested", "accepted"]
    assert [name for name, _ in job.outputs()] == ["operation_id", "registry_url", "registry_type"]
    assert job.post().log[-1].startswith("Logged out of ghcr.io")
    assert api.calls() == ALL


def test_a_cancel_while_the_login_is_waited_for_ends_at_once(
    fake_api: Play, make_job: MakeJob
) -> None:
    """Nothing is on its way that could be lost."""
    api = fake_api("endless-login")
    job = make_job(api.url)

    cancel_after(3, api, signal.SIGTERM)
    assert job.main().code == 130
    assert job.stages() == ["requested", "accepted"]
    with pytest.raises(LogoutFailed, match=r"was logged out of ghcr\.io, but"):
        job.post_on_fake_time(FakeClock())
    assert api.calls() == ALL


def test_a_login_that_fails_after_a_cancel_is_not_logged_out(
    fake_api: Play, make_job: MakeJob
) -> None:
    """Post waits for the login's end, and then there is nothing to undo."""
    api = fake_api("refused-late")
    job = make_job(api.url)

    cancel_after(2, api, signal.SIGINT)
    assert job.main().code == 130
    post = job.post()
    assert post.log[-1] == "Nothing to log out: the login did not work after all."
    assert api.calls() == ["login", "poll"]


def test_a_status_that_is_not_known_means_still_going(make_job: MakeJob) -> None:
    """Neither a new status nor one that is queued ends the wait."""
    statuses = ["queued", "pending_approval", "running"]
    done = {"status": "completed", "result": {"exit_code": 0}}
    with composed(*({"status": status} for status in statuses), done) as api:
        make_job(api.url).main_on_fake_time()
        api.verify()


def test_what_docker_said_is_no_command(make_job: MakeJob) -> None:
    """Text of the server is quoted, bounded, and obeyed by no runner."""
    stderr = "::error::x\r##[group]y\n::add-mask::z\n" + "long " * 500
    result = {"exit_code": 1, "stdout": "", "stderr": stderr}
    answer = {"status": "completed", "result": result, "server_name": "::warning::host\n"}
    with composed(answer) as api:
        main = make_job(api.url).main()
    commands = [line for line in main.log if "::" in line or "##[" in line]
    assert [line[:10] for line in commands] == ["::add-mask", "::error::T"]
    assert len(commands[1]) < 4096
    assert "exit code 1, status completed" in commands[1]


def test_docker_speaks_on_stdout_too(make_job: MakeJob) -> None:
    """Where stderr is empty, stdout has the reason."""
    result = {"exit_code": 125, "stdout": "no such host\n", "stderr": ""}
    with (
        composed({"status": "failed", "result": result}) as api,
        pytest.raises(LoginFailed, match=r"no such host.+DNS"),
    ):
        make_job(api.url).main_on_fake_time()


def test_a_failure_without_a_result_says_so(make_job: MakeJob) -> None:
    """It may have worked all the same, so that post undoes it; the server may have no name."""
    job_answer = {"status": "failed", "result": None, "server_name": None}
    with composed(job_answer) as api:
        job = make_job(api.url)
        with pytest.raises(LoginFailed, match=r"on the server without saying .+status failed"):
            job.main_on_fake_time()
    assert job.stages() == ["requested", "accepted"]


def test_an_answer_that_is_not_the_apis_is_told(make_job: MakeJob) -> None:
    """Polls that are answered with nonsense are given up on, and post looks after the login."""
    with composed(*[{"status": 7}] * 5) as api:
        job = make_job(api.url)
        with pytest.raises(ApiError, match="expected status to be a text") as caught:
            job.main_on_fake_time()
    assert caught.value.operation_id == job.outputs()[0][1]
    assert job.stages() == ["requested", "accepted"]


def test_debug_lines_tell_each_request(fake_api: Play, make_job: MakeJob) -> None:
    """With debug lines on, each request and its status is told, and the key is not."""
    api = fake_api("ghcr")
    job = make_job(api.url, RUNNER_DEBUG="1")
    main, post = job.main(), job.post()
    told = main.annotations("debug") + post.annotations("debug")
    assert len(told) == len(api.requests)
    assert told[0] == "POST /registry-auth/login: 202"
    assert KEY not in "".join([*main.log[1:], *post.log[1:]])


@pytest.mark.parametrize("key", [KEY, 'rca_ab/cd"ef1234567890'])
@pytest.mark.parametrize("slash", ["/", "\\/"])
def test_a_key_that_is_quoted_back_is_not_shown_in_part(
    make_job: MakeJob, key: str, slash: str
) -> None:
    """Where a quotation is cut inside the key, the part that is left is hidden as well."""
    detail = json.dumps({"detail": "x" * (QUOTE_LIMIT - 15) + key}).replace("/", slash)
    with play(login({"status": 400, "body": detail})) as api:
        main = make_job(api.url, INPUT_API_KEY=key).main()
    assert "xxx" in "".join(main.log[1:])
    assert key[:8] not in "".join(main.log[1:])


OWN = {
    "INPUT_CREDENTIAL_ID": "",
    "INPUT_USERNAME": "octocat",
    "INPUT_ACCESS_TOKEN": "ghp_0123456789",
    "INPUT_REGISTRY_URL": "ghcr.io",
}


@pytest.mark.parametrize("before", ["bad password ", "x" * (QUOTE_LIMIT - 6)])
@pytest.mark.parametrize("token", ["S3cr::Hunter", "S3cret##[Hunt"])
def test_a_short_token_that_is_quoted_back_is_not_shown_in_part(
    make_job: MakeJob, token: str, before: str
) -> None:
    """Neither a quotation's cut, nor what keeps it from being a command, leaves a part of one."""
    said = f"{before}{token} given"
    refused = passthrough({"status": 422, "body": {"detail": said}})
    failed = polls("login", {"status": "failed", "result": {"exit_code": 1, "stderr": said}})
    for conversation in ([refused], [passthrough(accepted()), failed]):
        with play(*conversation) as api:
            main = make_job(api.url, **{**OWN, "INPUT_ACCESS_TOKEN": token}).main()
        told = "".join(line for line in main.log if not line.startswith("::add-mask::"))
        assert main.code == 1
        assert before[:10] in told
        assert not [part for part in ("S3c", "Hun") if part in told]


def test_the_workflows_own_credential_is_sent_once(fake_api: Play, make_job: MakeJob) -> None:
    """In passthrough mode the state has the registry before the request, and never the token."""
    api = fake_api("passthrough")
    job = make_job(api.url, **OWN)
    assert job.main().code == 0
    assert job.post().annotations("warning") == []
    requested, *_ = job.states()
    assert (requested["stage"], requested["registry_url"]) == ("requested", "ghcr.io")
    assert "ghp_" not in json.dumps(job.states())
    assert api.requests[0].body == {
        **{name: value for name, value in LOGIN_BODY.items() if name != "credential_id"},
        "registry_url": "ghcr.io",
        "username": "octocat",
        "access_token": "ghp_0123456789",
    }
