"""Every recording of fixtures/, played over HTTP to main and post."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from lib.api.connection import Limits
from tests.fake_api.api import FakeApi
from tests.fake_api.recording import parse
from tests.integration.conftest import MakeJob
from tests.integration.job import KEY, LIMITS, PASSTHROUGH, Ended

RECORDINGS = Path(__file__).resolve().parents[2] / "fixtures" / "recordings"
OUTPUTS = ["operation_id", "registry_url", "registry_type"]
# What the recordings last, in seconds, is divided by this, but the first poll must come in time.
SHORTEN = 100
SHORTEN_LESS = {"restarting": 10}

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
STALLED = Limits(read=0.2)
STALLING = {"lost-answer": "main", "passthrough-lost": "main", "lost-logout": "post"}
OPTIONS: dict[str, dict[str, str]] = {
    "endless-login": {"INPUT_TIMEOUT": "20"},
    "lost-answer": {"INPUT_TIMEOUT": "1"},
    "lost-polls": {"INPUT_TIMEOUT": "20"},
    "passthrough-lost": {"INPUT_TIMEOUT": "1"},
    "rate-limited-for-a-minute": {"INPUT_TIMEOUT": "30"},
    "login-only": {"INPUT_CLEANUP": "false"},
    "lost-logout": {"DOCKER_AUTH_SECONDS": "4"},
}


def recording(name: str) -> Any:
    """Load a recording whose times are shortened."""
    data = json.loads((RECORDINGS / f"{name}.json").read_text("utf-8"))
    for response in (found for exchange in data["exchanges"] for found in exchange["responses"]):
        for place, key in ((response, "delay"), (response.get("lasts", {}), "seconds")):
            if key in place:
                place[key] /= SHORTEN_LESS.get(name, SHORTEN)
    return parse(name, data)


@pytest.mark.parametrize("name", sorted(path.stem for path in RECORDINGS.glob("*.json")))
def test_recording_ends_as_expected(name: str, make_job: MakeJob) -> None:
    played = recording(name)
    with FakeApi([played]) as api:
        mode = PASSTHROUGH if name.startswith("passthrough") else {}
        job = make_job(api.url, **mode, **OPTIONS.get(name, {}))
        secrets = [KEY, TOKEN] if mode else [KEY]
        if name == "logout-only":
            job.variables["INPUT_REGISTRY_URL"] = "ghcr.io"
            check_step(job.logout(), 0, 0, secrets)
        else:
            expected = EXPECTED.get(name, Expected())
            job.limits = STALLED if STALLING.get(name) == "main" else LIMITS
            check_step(job.main(), expected.code, 0, secrets)
            assert job.stages == expected.stages
            assert list(job.outputs) == ([] if "accepted" not in job.stages else OUTPUTS) or (
                name == "login-registry-url-missing" and not job.outputs
            )
            job.limits = STALLED if STALLING.get(name) == "post" else LIMITS
            check_step(job.post(), 0, expected.warnings, secrets)
        api.verify()
        assert {seen.headers["Authorization"] for seen in api.requests} == {f"Bearer {KEY}"}


def check_step(ended: Ended, code: int, warnings: int, secrets: list[str]) -> None:
    """Check exit code and annotations of a step. Its secrets are only in their masks."""
    assert (ended.code, len(ended.errors), len(ended.warnings)) == (code, code, warnings), ended.log
    logged = [line for line in ended.log if KEY in line or TOKEN in line]
    assert logged == [f"::add-mask::{secret}" for secret in secrets]
