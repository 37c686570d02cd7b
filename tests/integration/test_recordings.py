"""Every recording of fixtures/, played over HTTP to main and post."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest

from tests.conftest import Play
from tests.fake_api import FakeApi, names
from tests.fake_api.recording import RECORDINGS, Recording, parse
from tests.integration.conftest import MakeJob
from tests.integration.job import Ended
from tests.variables import KEY, PASSTHROUGH

OUTPUTS = ["operation_id", "registry_url", "registry_type"]

LOGGED_IN = ["requested", "accepted", "succeeded"]


class Expected(NamedTuple):
    """How main and post end."""

    code: int = 0
    stages: list[str] = LOGGED_IN
    warnings: int = 0


REJECTED = Expected(1, ["requested", "failed"])
FAILED = Expected(1, ["requested", "accepted", "failed"])
LOST = Expected(1, ["requested"], 1)
UNKNOWN = Expected(1, ["requested", "accepted"], 1)
UNVERIFIED = Expected(1, ["requested", "accepted"])
NOT_LOGGED_OUT = Expected(0, LOGGED_IN, 1)
# All others end with a login and a logout, without a warning.
EXPECTED = {
    **dict.fromkeys(["agent-offline", "key-not-allowed", "key-rejected", "not-found"], REJECTED),
    **dict.fromkeys(["passthrough-not-allowed", "rate-limit-exceeded", "unprocessable"], REJECTED),
    "rate-limited-for-a-minute": REJECTED,
    **dict.fromkeys(["refused-by-registry", "refused-in-japanese", "refused-late"], FAILED),
    **dict.fromkeys(["passthrough-refused", "login-inline-failed"], FAILED),
    **dict.fromkeys(["login-page", "lost-answer", "passthrough-lost"], LOST),
    "login-operation-id-missing": LOST,
    **dict.fromkeys(["endless-login", "lost-polls", "poll-other-operation"], UNKNOWN),
    **dict.fromkeys(["login-registry-url-missing", "server-timeout"], UNKNOWN),
    **dict.fromkeys(["no-result", "poll-cancelled"], UNVERIFIED),
    **dict.fromkeys(["logout-html", "logout-not-allowed", "logout-not-erased"], NOT_LOGGED_OUT),
    "lost-logout": NOT_LOGGED_OUT,
}
TOKEN = PASSTHROUGH["INPUT_ACCESS_TOKEN"]
# Time limits that end what otherwise lasts for minutes, and a login that stays.
OPTIONS = {
    "endless-login": {"INPUT_TIMEOUT": "20"},
    "lost-answer": {"INPUT_TIMEOUT": "1"},
    "lost-polls": {"INPUT_TIMEOUT": "20"},
    "passthrough-lost": {"INPUT_TIMEOUT": "1"},
    "rate-limited-for-a-minute": {"INPUT_TIMEOUT": "30"},
    "login-only": {"INPUT_CLEANUP": "false"},
    "lost-logout": {"DOCKER_AUTH_SECONDS": "4"},
}


def shortened(name: str) -> Recording:
    """Load a recording, and shorten its times, but the first poll must come in time."""
    factor = 10 if name == "restarting" else 100

    def shorten(entry: dict[str, Any]) -> dict[str, Any]:
        for time in {"delay", "seconds"} & entry.keys():
            entry[time] /= factor
        return entry

    text = (RECORDINGS / f"{name}.json").read_text("utf-8")
    return parse(name, json.loads(text, object_hook=shorten))


@pytest.mark.parametrize("name", sorted({*names()} - {"logout-only"}))
def test_recording_ends_as_expected(name: str, make_job: MakeJob) -> None:
    expected = EXPECTED.get(name, Expected())
    mode = PASSTHROUGH if name.startswith("passthrough") else {}
    secrets = [KEY, TOKEN] if mode else [KEY]
    has_outputs = "accepted" in expected.stages and name != "login-registry-url-missing"
    with FakeApi([shortened(name)]) as api:
        job = make_job(api.url, **mode, **OPTIONS.get(name, {}))
        check_step(job.main(), expected.code, 0, secrets)
        assert job.stages == expected.stages
        assert job.outputs == (OUTPUTS if has_outputs else [])
        check_step(job.post(), 0, expected.warnings, secrets)
        api.verify()
        assert {seen.headers["Authorization"] for seen in api.requests} == {f"Bearer {KEY}"}


def test_recording_of_the_logout_action_ends_as_expected(make_job: MakeJob, fake_api: Play) -> None:
    job = make_job(fake_api("logout-only").url, INPUT_REGISTRY_URL="ghcr.io")
    check_step(job.logout(), 0, 0, [KEY])


def check_step(ended: Ended, code: int, warnings: int, secrets: list[str]) -> None:
    """Check exit code and annotations of a step. Its secrets are only in their masks."""
    assert (ended.code, len(ended.errors), len(ended.warnings)) == (code, code, warnings), ended.log
    logged = [line for line in ended.log if KEY in line or TOKEN in line]
    assert logged == [f"::add-mask::{secret}" for secret in secrets]
