"""Faults that pass fail no login, and faults that do not pass keep no job waiting."""

from __future__ import annotations

import time
import uuid
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Play
from tests.e2e.conftest import API_KEY, CREDENTIAL_ID, SERVER_ID, MakeRunner
from tests.fake_api import FakeApi, recording
from tests.integration.conversation import (
    CLOSE,
    REFUSE,
    STALL,
    Answer,
    accepted,
    login,
    logout,
    play,
    polls,
    without_end,
)
from tests.runner import PROFILES, Runner

# What a user is promised for post, from the start of Node to its end.
POST_SECONDS = 30

JOBS = 60
TAKEN_ON: Answer = {"body": {"operation_id": "<logout_operation>"}}
DONE = {"status": "completed", "result": {"exit_code": 0}}
RUNNING = {"status": "running"}


@pytest.mark.parametrize("name", ["broken-connections", "restarting", "maintenance"])
def test_a_fault_that_passes_fails_no_job(
    fake_api: Play, make_runner: MakeRunner, name: str
) -> None:
    """Broken connections, an API that starts anew, a proxy's 503: the job is green and clean."""
    api = fake_api(name)
    runner = make_runner(api)

    main = runner.main()
    post = runner.post()

    assert (main.exit_code, post.exit_code) == (0, 0)
    assert main.log.annotations == post.log.annotations == []
    assert "Trying again in " in main.log.text()
    assert "Logged out of ghcr.io" in post.log.text()


def after_a_login(*exchanges: dict[str, Any]) -> FakeApi:
    """Make an API with a login that works, and what follows it."""
    return play(login(accepted()), polls("login", DONE), *exchanges)


def unreachable_operation(name: str, fault: Answer) -> dict[str, Any]:
    """Make polls that meet a fault each time."""
    exchange = without_end(polls(name, {}))
    return {**exchange, "responses": [fault]}


def apis_that_keep_post_waiting() -> dict[str, FakeApi]:
    """Make APIs that let a login through, each of which would keep its logout for ever."""
    drip = {"body": {"operation_id": "<logout_operation>", "padding": " " * 999}, "fault": "drip"}
    busy: Answer = {"status": 429, "headers": {"Retry-After": "2"}}
    return {
        "logout stalls": after_a_login(without_end(logout(STALL))),
        "logout drips": after_a_login(without_end(logout(drip))),
        "logout meets a limit": after_a_login(without_end(logout(busy))),
        "logout breaks off": after_a_login(without_end(logout(CLOSE))),
        "logout is refused": after_a_login(without_end(logout(REFUSE))),
        "logout goes on": after_a_login(logout(TAKEN_ON), without_end(polls("logout", RUNNING))),
        "logout's polls stall": after_a_login(
            logout(TAKEN_ON), unreachable_operation("logout", STALL)
        ),
        "login goes on": play(
            login(accepted()), without_end(polls("login", RUNNING)), logout({"status": 204})
        ),
        "login's polls stall": play(
            login(accepted()), unreachable_operation("login", STALL), logout({"status": 204})
        ),
        "login's polls fail": play(
            login(accepted()),
            unreachable_operation("login", {"status": 503, "body": "<html>"}),
            logout({"status": 204}),
        ),
    }


def test_post_is_done_in_time_whatever_the_api_does(tmp_path: Path) -> None:
    """However the API keeps a logout waiting, post ends in time, green, with one warning."""
    with ExitStack() as running:
        runners = {
            name: Runner(
                tmp_path / name,
                {
                    "api_key": API_KEY,
                    "server_id": SERVER_ID,
                    "credential_id": CREDENTIAL_ID,
                    "api_url": running.enter_context(api).url,
                    "timeout": "1",
                },
                profile=profile,
            )
            for (name, api), profile in zip(
                apis_that_keep_post_waiting().items(), cycle(PROFILES), strict=False
            )
        }
        for main in [runner.begin("main") for runner in runners.values()]:
            main.wait()
        stages = {name: runner.begin("post") for name, runner in runners.items()}
        end = time.monotonic() + POST_SECONDS  # a stage that outlasts it fails the test
        posts = {name: stage.wait(end - time.monotonic()) for name, stage in stages.items()}

    assert {name: post.exit_code for name, post in posts.items()} == dict.fromkeys(runners, 0)
    for name, post in posts.items():
        assert [level for level, _ in post.log.annotations] == ["warning"], name
        [(_, warning)] = post.log.annotations
        assert SERVER_ID in warning
        assert "docker logout ghcr.io" in warning
        assert ("may have ended after that" in warning) == name.startswith("login")


def test_a_matrix_of_jobs_on_one_limited_key_gets_through(tmp_path: Path) -> None:
    """Sixty jobs at once, on a key for 15 requests a second: each is logged in and logged out."""
    with FakeApi([recording.load("matrix")], endless=True) as api:
        runners = [
            Runner(
                tmp_path / str(number),
                {
                    "api_key": API_KEY,
                    "server_id": str(uuid.UUID(int=number)),
                    "credential_id": CREDENTIAL_ID,
                    "api_url": api.url,
                },
                profile=PROFILES[number % len(PROFILES)],
                through_node=False,
            )
            for number in range(JOBS)
        ]
        for stage in ("main", "post"):
            ended = [running.wait() for running in [runner.begin(stage) for runner in runners]]
            assert [end.exit_code for end in ended] == [0] * JOBS
            assert [end.log.annotations for end in ended] == [[]] * JOBS

    api.verify()
    accepted_calls = [entry for entry in api.audit_trail if entry.outcome == "accepted"]
    done = [(entry.operation, entry.server_id) for entry in accepted_calls]
    servers = [str(uuid.UUID(int=number)) for number in range(JOBS)]
    for operation in ("registry_login", "registry_logout"):
        assert sorted(server for found, server in done if found == operation) == servers
    assert any(seen.status == 429 for seen in api.requests)
