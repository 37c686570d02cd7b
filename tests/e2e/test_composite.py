"""The action inside composite actions, one and two deep, on each runner.

GitHub's runner gives post the wrong inputs there (actions/runner#2030), Gitea's gives inputs
that are not set the values of the composite's.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.conftest import Play
from tests.e2e.conftest import API_KEY, CREDENTIAL_ID, SERVER_ID, on_github
from tests.e2e.test_action import LOGIN_AND_LOGOUT, ended_main
from tests.e2e.test_passthrough import OWN, TOKEN
from tests.fake_api import FakeApi
from tests.runner import GITEA, Profile, Runner, Stage

GOOD = {"api_key": API_KEY, "server_id": SERVER_ID, "credential_id": CREDENTIAL_ID}
DEEP = [[{"name": "shop"}], [{"name": "shop"}, {"image": "shop:1"}]]


def holders(folder: Path, secret: str) -> set[str]:
    """Give the names of the files of a job that have a secret in them."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.name.split("_")[0] for path in files if secret in path.read_text("utf-8")}


@pytest.mark.every_case
@pytest.mark.parametrize("composites", DEEP, ids=["one deep", "two deep"])
def test_login_and_logout_work_inside_composite_actions(
    fake_api: Play, tmp_path: Path, profile: Profile, composites: list[Mapping[str, str]]
) -> None:
    """The key comes from the state there: it is in that file, masked first, and nowhere else."""
    api = fake_api("ghcr")
    runner = Runner(tmp_path, {**GOOD, "api_url": api.url}, profile=profile, composites=composites)

    main = runner.main()
    assert holders(tmp_path, API_KEY) == {"save"}
    post = runner.post()

    assert (main.exit_code, post.exit_code) == (0, 0)
    assert main.log.annotations == post.log.annotations == []
    assert api.calls() == LOGIN_AND_LOGOUT
    assert {seen.headers["Authorization"] for seen in api.requests} == {f"Bearer {API_KEY}"}
    for output in (main.output, post.output):
        assert output.startswith(f"::add-mask::{API_KEY}\n")
        assert API_KEY not in output.replace(f"::add-mask::{API_KEY}\n", "")


def test_at_top_level_the_key_is_in_no_file(
    fake_api: Play, tmp_path: Path, profile: Profile
) -> None:
    """Without a composite action around it, nothing on the runner's disk has the key."""
    api = fake_api("ghcr")
    runner = Runner(tmp_path, {**GOOD, "api_url": api.url}, profile=profile)

    runner.main()
    assert holders(tmp_path, SERVER_ID) == {"save"}
    assert holders(tmp_path, API_KEY) == set()
    runner.post()
    assert holders(tmp_path, API_KEY) == set()


def test_a_composite_action_that_is_ended_is_cleaned_up(
    fake_api: Play, tmp_path: Path, profile: Profile
) -> None:
    """However main is ended there, post has the key and logs out after the login."""
    api = fake_api("slow-login")
    runner = Runner(tmp_path, {**GOOD, "api_url": api.url}, profile=profile, composites=DEEP[0])

    ended_main(runner, lambda: len(api.requests) > 1)
    post = runner.post()

    assert (post.exit_code, post.log.annotations) == (0, [])
    assert api.calls() == LOGIN_AND_LOGOUT


def test_a_token_inside_a_composite_action_is_not_kept(
    fake_api: Play, tmp_path: Path, profile: Profile
) -> None:
    """A logout needs the key alone: the workflow's own token is in no file there either."""
    api = fake_api("passthrough")
    given = {**GOOD, **OWN, "api_url": api.url}
    runner = Runner(tmp_path, given, profile=profile, composites=DEEP[0])

    assert runner.main().exit_code == 0
    assert holders(tmp_path, TOKEN) == set()
    assert runner.post().exit_code == 0


@on_github
def test_inputs_of_another_step_in_post_have_no_say(
    fake_api: Play, tmp_path: Path, profile: Profile
) -> None:
    """Where post is given what another step was given, that key goes nowhere."""
    api = fake_api("ghcr")
    other = {"api_key": "rca_of_another_step", "server_id": CREDENTIAL_ID, "cleanup": "false"}

    def inputs(stage: Stage) -> Mapping[str, str]:
        return {**GOOD, "api_url": api.url} if stage == "main" else other

    around = {"GITHUB_ACTION_PATH": "/actions/composite"}
    runner = Runner(tmp_path, inputs, profile=profile, environment=around)
    runner.main()
    runner.post()

    assert api.calls() == LOGIN_AND_LOGOUT
    assert api.requests[-2].body["server_id"] == SERVER_ID
    assert {seen.headers["Authorization"] for seen in api.requests} == {f"Bearer {API_KEY}"}


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("around", "named"),
    [
        ({"cleanup": "never"}, "The input cleanup is neither true nor false"),
        ({"timeout": "5m"}, "The input timeout is not a whole number"),
        ({"username": "octocat"}, "two credentials: credential_id and username"),
    ],
    ids=["cleanup", "timeout", "username"],
)
def test_an_input_of_the_composite_of_the_same_name_is_ours_in_giteas_runner(
    fake_api: Play,
    tmp_path: Path,
    profile: Profile,
    around: dict[str, str],
    named: str,
) -> None:
    """There the error for a value that we cannot use says where it may come from; not elsewhere."""
    api = fake_api(*([] if profile is GITEA else ["ghcr"]))
    inputs = {**GOOD, "api_url": api.url}
    runner = Runner(tmp_path, inputs, profile=profile, composites=[around])

    main = runner.main()
    runner.post()

    if profile is GITEA:
        [(_, message)] = main.log.annotations
        assert named in message
        assert "the composite's input of the same name: rename that input" in message
        assert (main.exit_code, api.requests) == (1, [])
    else:
        assert (main.exit_code, main.log.annotations) == (0, [])


def test_an_empty_text_keeps_the_composites_input_away(
    fake_api: Play, tmp_path: Path, profile: Profile
) -> None:
    """What the hint says helps: an input that is set to nothing has its default."""
    api = fake_api("ghcr")
    runner = Runner(
        tmp_path,
        {**GOOD, "api_url": api.url, "cleanup": ""},
        profile=profile,
        composites=[{"cleanup": "never"}],
    )

    assert runner.main().exit_code == runner.post().exit_code == 0
    assert api.calls() == LOGIN_AND_LOGOUT


@pytest.mark.every_case
@pytest.mark.parametrize("composites", [[], [{}]], ids=["top level", "composite"])
def test_the_hint_comes_in_a_composite_action_on_gitea_and_forgejo_alone(
    tmp_path: Path, profile: Profile, composites: list[Mapping[str, str]]
) -> None:
    """A value that the workflow itself got wrong is not blamed on a composite elsewhere."""
    with FakeApi([]) as api:
        bad = {**GOOD, "api_url": api.url, "cleanup": "never"}
        main = Runner(tmp_path, bad, profile=profile, composites=composites).main()

    [(_, message)] = main.log.annotations
    has_hint = "Inside a composite action Gitea's runner" in message
    assert has_hint == (bool(composites) and "GITEA_ACTIONS" in profile.variables)
