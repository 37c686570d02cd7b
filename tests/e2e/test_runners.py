"""What the runners of GitHub, act, Gitea and Forgejo do differently, where it touches the action.

Each test names a difference, and holds that a job has the same end for all that.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import Play
from tests.e2e.conftest import API_KEY, CREDENTIAL_ID, SERVER_ID, MakeRunner
from tests.e2e.test_action import LOGIN_AND_LOGOUT, PROVIDERS, stages, wait_for
from tests.fake_api import FakeApi, recording
from tests.runner import ACT, FORGEJO, GITEA, GITHUB, PROFILES, Profile, Runner, StageResult, files

GOOD = {"api_key": API_KEY, "server_id": SERVER_ID, "credential_id": CREDENTIAL_ID}
OTHER_ID = "99999999-7777-4888-9999-000000000000"


def on(*profiles: Profile) -> pytest.MarkDecorator:
    """Mark a test that is about some runners alone."""
    return pytest.mark.parametrize("profile", profiles, ids=str)


def test_the_audit_log_names_the_runners_provider(fake_api: Play, make_runner: MakeRunner) -> None:
    """Login and logout come from gitea_actions on Gitea and Forgejo, else from github_actions."""
    api = fake_api("ghcr")
    runner = make_runner(api)
    runner.main()
    runner.post()

    contexts = [seen.body["run_context"] for seen in api.requests if seen.method == "POST"]
    assert [told["provider"] for told in contexts] == [PROVIDERS[runner.profile.name]] * 2


@on(GITEA, FORGEJO)
def test_a_run_without_names_is_logged_in_all_the_same(
    fake_api: Play, make_runner: MakeRunner
) -> None:
    """Where GITHUB_REPOSITORY and GITHUB_EVENT_NAME are empty, the fields are sent empty."""
    api = fake_api("ghcr")
    runner = make_runner(api, environment={"GITHUB_SHA": "", "GITHUB_REF": ""})

    assert runner.main().exit_code == runner.post().exit_code == 0
    for seen in (request for request in api.requests if request.method == "POST"):
        context = seen.body["run_context"]
        assert set(context) == {"provider", "repository", "workflow", "trigger", "actor"}
        assert (context["repository"], context["trigger"]) == ("", "")


@pytest.mark.parametrize("profile", PROFILES, ids=str)
def test_a_variable_of_the_job_is_an_input_in_giteas_runner_alone(
    fake_api: Play, tmp_path: Path, profile: Profile
) -> None:
    """An env INPUT_CREDENTIAL_ID stands for an input that is not given there, and nowhere else."""
    api = fake_api(*(["ghcr"] if profile is GITEA else []))
    given = {"api_key": API_KEY, "server_id": SERVER_ID, "api_url": api.url}
    job = {"INPUT_CREDENTIAL_ID": CREDENTIAL_ID}
    runner = Runner(tmp_path, given, profile=profile, environment=job)

    main = runner.main()
    assert runner.post().exit_code == 0

    if profile is GITEA:
        assert (main.exit_code, api.calls()) == (0, LOGIN_AND_LOGOUT)
    else:
        assert (main.exit_code, api.calls()) == (1, [])
        assert "name no credential" in main.log.annotations[0][1]


@on(GITEA)
def test_a_variable_of_the_job_does_not_beat_an_input_that_is_given(
    fake_api: Play, make_runner: MakeRunner
) -> None:
    """What `with` says is what counts, in Gitea's runner too."""
    api = fake_api("ghcr")
    runner = make_runner(api, environment={"INPUT_SERVER_ID": OTHER_ID, "INPUT_API_KEY": "x"})

    assert runner.main().exit_code == runner.post().exit_code == 0
    assert api.requests[0].body["server_id"] == SERVER_ID


def test_an_input_that_is_not_declared_has_no_say(fake_api: Play, make_runner: MakeRunner) -> None:
    """Runners hand on what the action does not declare; it changes nothing."""
    runner = make_runner(fake_api("ghcr"), password="hunter2", cleanup_="false")

    main = runner.main()
    post = runner.post()

    assert (main.exit_code, post.exit_code) == (0, 0)
    assert "hunter2" not in main.output + post.output


def test_an_empty_text_is_the_default(fake_api: Play, make_runner: MakeRunner) -> None:
    """An expression that gives nothing beats the default of action.yml, and means it here."""
    api = fake_api("ghcr")
    runner = make_runner(api, cleanup="", timeout="")

    assert runner.main().exit_code == runner.post().exit_code == 0
    assert api.calls() == LOGIN_AND_LOGOUT


def test_an_action_path_that_is_unset_or_empty_is_no_composite_action(
    fake_api: Play, make_runner: MakeRunner
) -> None:
    """At top level the key is not in the state: GitHub sets no path there, the others none."""
    runner = make_runner(fake_api("ghcr"))
    main = runner.main()
    runner.post()

    assert ("GITHUB_ACTION_PATH" in runner.profile.variables) == (runner.profile is not GITHUB)
    assert API_KEY not in main.state_text


def told(result: StageResult) -> str:
    """Give what a stage wrote, but for the seconds that it took."""
    return re.sub(r"[0-9.]+ s\.", "… s.", result.output)


@on(ACT, FORGEJO)
def test_a_terminal_changes_nothing(
    fake_api: Play, make_runner: MakeRunner, tmp_path: Path
) -> None:
    """Where all three streams are a terminal, what is written is what a pipe would get."""
    with FakeApi([recording.load("ghcr")]) as api:
        piped = Runner(tmp_path / "piped", {**GOOD, "api_url": api.url})
        expected = [told(piped.main()), told(piped.post())]
    runner = make_runner(fake_api("ghcr"))
    main, post = runner.main(), runner.post()

    assert [told(main), told(post)] == expected
    assert "\x1b" not in main.output + post.output
    assert "\r" not in main.output + post.output


@on(ACT, GITEA, FORGEJO)
def test_a_post_that_finds_its_files_emptied_has_its_state(
    fake_api: Play, make_runner: MakeRunner
) -> None:
    """The files of main are those of post, emptied: what main saved is in STATE_login alone."""
    api = fake_api("ghcr")
    runner = make_runner(api)
    main = runner.main()
    post = runner.post()

    assert stages(main.state_text) == ["requested", "accepted", "succeeded"]
    assert (post.state_text, post.outputs) == ("", {})
    assert api.calls() == LOGIN_AND_LOGOUT


def test_no_line_of_a_command_file_is_read_differently(
    fake_api: Play, make_runner: MakeRunner
) -> None:
    """There is no empty line, no CR and no long line in them, which runners disagree about."""
    runner = make_runner(fake_api("ghcr"))
    main = runner.main()
    runner.post()

    lines = main.state_text.removesuffix("\n").split("\n")
    assert all(line and "\r" not in line and len(line) < 64 * 1024 for line in lines)
    readings = [files.parse(main.state_text, profile.name) for profile in PROFILES]
    assert readings == [main.state] * len(PROFILES)
    assert set(main.outputs) == {"operation_id", "registry_url", "registry_type"}


def test_debug_lines_need_debug_logging(fake_api: Play, make_runner: MakeRunner) -> None:
    """GitHub's and Gitea's runners set RUNNER_DEBUG if the user enables debug logging."""
    runner = make_runner(fake_api("login-only"), environment={"RUNNER_DEBUG": "1"})
    debugged = runner.main()
    quiet = make_runner(fake_api("login-only")).main()

    assert "::debug::" in debugged.output
    assert "::debug::" not in quiet.output


@on(FORGEJO)
def test_the_jobs_token_goes_nowhere(fake_api: Play, make_runner: MakeRunner) -> None:
    """Forgejo's runner has the token of the job in every step: it is neither said nor sent."""
    api = fake_api("ghcr")
    runner = make_runner(api)
    main, post = runner.main(), runner.post()

    sent = "".join(f"{seen} {seen.headers}" for seen in api.requests)
    token = runner.profile.variables["GITHUB_TOKEN"]
    assert token not in main.output + main.state_text + post.output + sent


@on(ACT, GITEA, FORGEJO)
def test_a_kill_leaves_no_process_and_the_state(fake_api: Play, make_runner: MakeRunner) -> None:
    """Node is killed and Python gets no signal that it handles: neither is there afterwards."""
    api = fake_api("slow-login")
    runner = make_runner(api)
    stage = runner.begin("main")
    wait_for(lambda: len(api.requests) > 1)
    main = stage.end()
    stage.wait_for_orphans()
    asked = len(api.requests)
    post = runner.post()

    assert stages(main.state_text) == ["requested", "accepted"]
    assert api.requests[asked].path.startswith("/api/automation/v1/operations/")
    assert (post.exit_code, post.log.annotations) == (0, [])


def test_a_step_past_its_timeout_minutes_is_logged_out(
    fake_api: Play, make_runner: MakeRunner
) -> None:
    """A step that takes longer than `timeout-minutes` ends as by a cancel; post undoes it."""
    api = fake_api("slow-login")
    runner = make_runner(api)
    stage = runner.begin("main")
    wait_for(lambda: len(api.requests) > 1)
    stage.end()
    post = runner.post()

    assert (post.exit_code, post.log.annotations) == (0, [])
    assert api.calls() == LOGIN_AND_LOGOUT


def test_a_key_is_masked_in_a_way_that_its_runner_obeys(
    fake_api: Play, make_runner: MakeRunner
) -> None:
    """The family of act takes `::` in a key for the end of a name: there its parts are hidden."""
    key = "rca_Zm9vYmFy::0123456789abc"
    runner = make_runner(fake_api("key-rejected"), api_key=key)
    main = runner.main()
    runner.post()

    parts = {key} if runner.profile is GITHUB else set(key.split("::"))
    assert main.log.masks == parts
