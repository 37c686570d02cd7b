"""The whole action, as a runner starts it: Node, Python, HTTP, command files."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Play
from tests.e2e.conftest import API_KEY, CREDENTIAL_ID, SERVER_ID, MakeRunner, on_github
from tests.runner import GITHUB, Profile, Runner, Stage, StageResult

REGISTRIES = {
    "docker-hub": ("docker.io", "docker_hub"),
    "ghcr": ("ghcr.io", "ghcr"),
    "aws-ecr": ("123456789012.dkr.ecr.eu-central-1.amazonaws.com", "aws_ecr"),
    "google-artifact-registry": ("europe-west3-docker.pkg.dev", "google_artifact_registry"),
    "azure-acr": ("contoso.azurecr.io", "azure_acr"),
    "harbor": ("harbor.example.com", "harbor"),
    "generic": ("registry.example.com:5000", "generic"),
}
PROVIDERS = {
    "github": "github_actions",
    "act": "github_actions",
    "gitea": "gitea_actions",
    "forgejo": "gitea_actions",
}
LOGIN_AND_LOGOUT = ["login", "poll", "logout", "poll"]


def wait_for(condition: Callable[[], object]) -> None:
    """Wait until something holds that another process brings about."""
    for _ in range(600):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to pass")


def stages(runner_state: str) -> list[str]:
    """Give the stages that were saved, in their order."""
    return [json.loads(line)["stage"] for line in runner_state.splitlines() if line[0] == "{"]


@pytest.mark.parametrize("recording", REGISTRIES)
def test_each_kind_of_registry_is_logged_in_and_out(
    fake_api: Play, make_runner: MakeRunner, recording: str
) -> None:
    """Each of the seven registry types logs in, sets its outputs and is logged out."""
    api = fake_api(recording)
    runner = make_runner(api)

    main = runner.main()
    post = runner.post()

    registry_url, registry_type = REGISTRIES[recording]
    assert (main.exit_code, post.exit_code) == (0, 0)
    assert main.outputs["registry_url"] == registry_url
    assert main.outputs["registry_type"] == registry_type
    assert main.outputs["operation_id"]
    assert api.calls() == LOGIN_AND_LOGOUT
    assert main.log.annotations == post.log.annotations == []


def test_a_good_login_is_told_in_at_most_six_lines(fake_api: Play, make_runner: MakeRunner) -> None:
    """The log of a good login says which registry, which server, which operation, and no more."""
    main = (runner := make_runner(fake_api("ghcr"))).main()
    runner.post()

    assert len(main.log.shown) <= 6
    for said in ("ghcr.io", "build-1", main.outputs["operation_id"], SERVER_ID):
        assert said in main.log.text()


def test_the_api_is_told_who_acts_at_login_and_at_logout(
    fake_api: Play, make_runner: MakeRunner
) -> None:
    """Login and logout carry the run, the repository, the workflow, the actor and the commit."""
    api = fake_api("ghcr")
    runner = make_runner(api)
    runner.main()
    runner.post()

    told = runner.profile.variables
    run = {
        "run_id": told["GITHUB_RUN_ID"],
        "run_context": {
            "provider": PROVIDERS[runner.profile.name],
            "repository": told["GITHUB_REPOSITORY"],
            "workflow": "Deploy",
            "trigger": told["GITHUB_EVENT_NAME"],
            "actor": told["GITHUB_ACTOR"],
            "sha": "0123456789abcdef0123456789abcdef01234567",
            "ref": "refs/heads/main",
        },
    }
    login, logout = (seen for seen in api.requests if seen.method == "POST")
    assert login.body == {"server_id": SERVER_ID, "credential_id": CREDENTIAL_ID, **run}
    assert logout.body == {"server_id": SERVER_ID, "registry_url": "ghcr.io", **run}
    assert {seen.headers["Authorization"] for seen in api.requests} == {f"Bearer {API_KEY}"}


def test_the_key_is_masked_first_and_never_shown(fake_api: Play, make_runner: MakeRunner) -> None:
    """The first line of each stage masks the key; nothing else ever has the key in it."""
    runner = make_runner(fake_api("ghcr"), environment={"RUNNER_DEBUG": "1"})

    for result in (runner.main(), runner.post()):
        first, *others = result.output.splitlines()
        assert first == f"::add-mask::{API_KEY}"
        assert API_KEY not in "\n".join(others)
        assert API_KEY not in result.state_text
        assert API_KEY not in str(result.outputs)


def test_the_state_is_saved_before_and_after_the_api_accepts(
    fake_api: Play, make_runner: MakeRunner
) -> None:
    """The state goes through requested, accepted and succeeded, each saved as it is reached."""
    main = (runner := make_runner(fake_api("ghcr"))).main()
    runner.post()

    assert stages(main.state_text) == ["requested", "accepted", "succeeded"]


def test_cleanup_false_leaves_the_server_logged_in(fake_api: Play, make_runner: MakeRunner) -> None:
    """With cleanup: false post asks nothing of the API, and says why."""
    api = fake_api("login-only")
    runner = make_runner(api, cleanup="false")

    assert runner.main().exit_code == 0
    post = runner.post()

    assert post.exit_code == 0
    assert "cleanup: false" in post.log.text()
    assert api.calls() == ["login", "poll"]


def test_a_login_that_takes_a_while_is_waited_for(fake_api: Play, make_runner: MakeRunner) -> None:
    """A login that ends after two seconds is polled more than once, and then is good."""
    api = fake_api("slow-login")
    runner = make_runner(api)

    assert runner.main().exit_code == 0
    polls = len(api.requests) - 1
    runner.post()

    assert 2 < polls <= 7


def test_a_refused_login_is_red_and_not_logged_out(fake_api: Play, make_runner: MakeRunner) -> None:
    """When the registry refuses, the step fails with docker's words, and post leaves it be."""
    api = fake_api("refused-by-registry")
    runner = make_runner(api)

    main = runner.main()
    post = runner.post()

    assert main.exit_code == 1
    [(level, message)] = main.log.annotations
    assert level == "error"
    assert "unauthorized" in message
    assert main.outputs["operation_id"] in message
    assert main.outputs["registry_url"] == "ghcr.io"
    assert api.calls() == ["login", "poll"]
    assert (post.exit_code, post.log.annotations) == (0, [])


@pytest.mark.parametrize("recording", ["server-timeout", "no-result"])
def test_a_login_that_may_have_worked_is_red_and_logged_out(
    fake_api: Play, make_runner: MakeRunner, recording: str
) -> None:
    """A login of which nobody knows whether it worked fails the step, and is undone."""
    api = fake_api(recording)
    runner = make_runner(api)

    assert runner.main().exit_code == 1
    assert runner.post().exit_code == 0
    assert api.calls() == ["login", "poll", "logout", "poll"]


@pytest.mark.parametrize(
    ("recording", "remedy"),
    [
        ("key-rejected", "revoked"),
        ("key-not-allowed", "registry_login"),
        ("not-found", "server_id"),
        ("unprocessable", "server_id"),
        ("rate-limit-exceeded", "asks to wait 7200 s"),
    ],
)
def test_a_refusal_of_the_api_is_one_error_with_a_remedy(
    fake_api: Play, make_runner: MakeRunner, recording: str, remedy: str
) -> None:
    """What the API refuses fails the step at once, with its words and what to do about it."""
    api = fake_api(recording)
    runner = make_runner(api)

    main = runner.main()
    post = runner.post()

    assert main.exit_code == 1
    [(level, message)] = main.log.annotations
    assert level == "error"
    assert remedy in message
    assert "{" not in message
    assert (post.exit_code, post.log.annotations) == (0, [])
    assert api.calls() == ["login"]


def test_a_busy_api_is_given_the_time_it_asks_for(fake_api: Play, make_runner: MakeRunner) -> None:
    """A login that is refused with 429 and Retry-After is sent again, and then is good."""
    api = fake_api("rate-limited")
    runner = make_runner(api)

    assert runner.main().exit_code == 0
    runner.post()

    first, second = (seen.at for seen in api.requests if seen.path.endswith("/login"))
    assert second - first >= 1


def test_a_logout_that_is_refused_is_one_warning(fake_api: Play, make_runner: MakeRunner) -> None:
    """Post never fails the job: it says what stays logged in, where, and how to remove it."""
    runner = make_runner(fake_api("logout-not-allowed"))

    runner.main()
    post = runner.post()

    assert post.exit_code == 0
    [(level, message)] = post.log.annotations
    assert level == "warning"
    for said in ("ghcr.io", SERVER_ID, "docker logout ghcr.io", "registry_logout"):
        assert said in message


@pytest.mark.parametrize(
    "inputs",
    [
        {"api_key": ""},
        {"api_key": "rk_t_integration"},
        {"api_key": "rca_two words"},
        {"server_id": "build-1"},
        {"credential_id": ""},
        {"cleanup": "yes"},
        {"api_url": "http://api.example.com"},
        {"api_url": "https://user:word@api.example.com"},
        {"timeout": "0"},
    ],
    ids=str,
)
def test_a_bad_input_is_one_error_before_any_request(
    fake_api: Play, make_runner: MakeRunner, inputs: dict[str, str]
) -> None:
    """A bad input fails the step with an error that names it; post has nothing to do."""
    api = fake_api()
    runner = make_runner(api, **inputs)

    main = runner.main()
    post = runner.post()

    assert main.exit_code == 1
    [(level, message)] = main.log.annotations
    assert level == "error"
    assert next(iter(inputs)) in message
    assert main.state == {}
    assert (post.exit_code, post.log.annotations) == (0, [])
    assert api.requests == []


def ended_main(runner: Runner, condition: Callable[[], object]) -> StageResult:
    """Run main, and end it as its runner does when something has come to pass."""
    running = runner.begin("main")
    wait_for(condition)
    return running.end()


def test_a_main_that_is_ended_while_polling_is_logged_out_after_the_login(
    fake_api: Play, make_runner: MakeRunner
) -> None:
    """Cancelled or killed, main leaves its state; post logs out when the login has ended."""
    api = fake_api("slow-login")
    runner = make_runner(api)

    main = ended_main(runner, lambda: len(api.requests) > 1)
    post = runner.post()

    assert main.exit_code == (130 if runner.profile is GITHUB else -signal.SIGKILL)
    assert stages(main.state_text) == ["requested", "accepted"]
    assert main.outputs["registry_url"] == "ghcr.io"
    assert post.exit_code == 0
    assert post.log.annotations == []
    login, *_, logout = (seen for seen in api.requests if seen.method == "POST")
    assert logout.at - login.at >= 2


@on_github
def test_a_cancel_while_the_login_is_sent_waits_for_its_answer(
    fake_api: Play, make_runner: MakeRunner
) -> None:
    """With the login on its way main first saves what the API answers, so that post can undo it."""
    api = fake_api("slow-answer")
    runner = make_runner(api)

    main = ended_main(runner, lambda: api.requests)
    post = runner.post()

    assert main.exit_code == 130
    assert stages(main.state_text) == ["requested", "accepted"]
    assert post.exit_code == 0
    assert api.calls() == LOGIN_AND_LOGOUT


@on_github
def test_a_cancel_before_another_try_leaves_nothing_to_log_out(
    fake_api: Play, make_runner: MakeRunner
) -> None:
    """Cancelled while it waits to try a refused login again, main ends, and post has no doubt."""
    api = fake_api("rate-limited-for-a-minute")
    runner = make_runner(api)

    main = ended_main(runner, lambda: api.requests)
    post = runner.post()

    assert main.exit_code == 130
    assert stages(main.state_text) == ["requested", "failed"]
    assert (post.exit_code, post.log.annotations) == (0, [])
    assert api.calls() == ["login"]


def test_a_late_refusal_leaves_nothing_to_log_out(fake_api: Play, make_runner: MakeRunner) -> None:
    """A cancelled login that the registry then refuses is not logged out."""
    api = fake_api("refused-late")
    runner = make_runner(api)

    ended_main(runner, lambda: len(api.requests) > 1)
    post = runner.post()

    assert post.exit_code == 0
    assert api.calls() == ["login", "poll"]


def test_a_login_past_its_timeout_is_red_and_logged_out(
    fake_api: Play, make_runner: MakeRunner
) -> None:
    """Past the timeout the step fails and names the operation; post logs out all the same."""
    api = fake_api("slow-login")
    runner = make_runner(api, timeout="1")

    main = runner.main()
    post = runner.post()

    assert main.exit_code == 1
    [(_, message)] = main.log.annotations
    assert main.outputs["operation_id"] in message
    assert "running" in message
    assert post.exit_code == 0
    assert api.calls() == LOGIN_AND_LOGOUT


def test_post_acts_on_the_state_and_not_on_its_inputs(
    fake_api: Play, tmp_path: Path, profile: Profile
) -> None:
    """Inputs that say something else in post change nothing about what is logged out, and where."""
    api = fake_api("ghcr")
    good = {"server_id": SERVER_ID, "credential_id": CREDENTIAL_ID, "api_url": api.url}
    other = {"server_id": CREDENTIAL_ID, "api_url": "https://elsewhere.invalid", "cleanup": "false"}

    def inputs(stage: Stage) -> dict[str, str]:
        return {**good, "api_key": API_KEY, **(other if stage == "post" else {})}

    runner = Runner(tmp_path, inputs, profile=profile)
    runner.main()
    runner.post()

    assert api.requests[-2].body["server_id"] == SERVER_ID


def test_using_the_action_changes_no_file_of_it(
    fake_api: Play, action_copy: Path, tmp_path: Path, profile: Profile
) -> None:
    """Its tree is the same after main and post, byte for byte, and other folders are empty still.

    A self-hosted runner could not remove what root leaves in a container.
    """
    api = fake_api("ghcr")

    def content() -> dict[str, bytes]:
        files = (path for path in action_copy.rglob("*") if path.is_file())
        return {str(path): path.read_bytes() for path in files}

    before = content()
    inputs = {"api_key": API_KEY, "server_id": SERVER_ID, "credential_id": CREDENTIAL_ID}
    runner = Runner(tmp_path, {**inputs, "api_url": api.url}, action=action_copy, profile=profile)
    assert runner.main().exit_code == 0
    runner.post()

    assert content() == before
    assert not list(runner.workspace.iterdir())
    assert [path.name for path in runner.temp.iterdir()] == ["_runner_file_commands"]
