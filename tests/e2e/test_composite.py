"""The action inside composite actions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.conftest import Play
from tests.e2e.conftest import API_KEY, CREDENTIAL_ID, LOGIN_AND_LOGOUT, VAULT
from tests.runner import ACT, GITHUB, Profile, Runner, Stage

AROUND = {"GITHUB_ACTION_PATH": "/actions/composite", "GITHUB_ACTION": "composite"}


def test_post_uses_the_saved_key_not_another_steps_input(fake_api: Play, tmp_path: Path) -> None:
    """GitHub's runner may evaluate post's inputs in the context of another step."""
    api = fake_api("ghcr")
    other = {"api_key": "rca_of_another_step", "server_id": CREDENTIAL_ID, "cleanup": "false"}

    def inputs(stage: Stage) -> Mapping[str, str]:
        return {**VAULT, "api_url": api.url} if stage == "main" else other

    runner = Runner(tmp_path, inputs, environment=AROUND)
    assert (runner.main().exit_code, runner.post().exit_code) == (0, 0)
    assert api.calls() == LOGIN_AND_LOGOUT
    assert api.requests[-2].body["server_id"] == VAULT["server_id"]
    assert {seen.headers["Authorization"] for seen in api.requests} == {f"Bearer {API_KEY}"}


@pytest.mark.parametrize("profile", [GITHUB, ACT], ids=str)
def test_two_logins_in_a_composite_are_both_logged_out(
    fake_api: Play, tmp_path: Path, profile: Profile
) -> None:
    """They share GITHUB_ACTION, and in act their command files too."""
    api = fake_api("ghcr", "docker-hub")
    given = {**VAULT, "api_url": api.url}
    first, second = (
        Runner(tmp_path, given, profile=profile, environment=AROUND, composites=[{}])
        for _ in range(2)
    )
    results = [first.main(), second.main(), second.post(), first.post()]
    assert [result.exit_code for result in results] == [0] * 4
    assert [result.log.annotations for result in results] == [[]] * 4
    logouts = [seen.body["registry_url"] for seen in api.requests if "logout" in seen.path]
    assert logouts == ["docker.io", "ghcr.io"]
