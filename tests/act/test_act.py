"""Workflows with the action, on the host (`make act`) and in containers (`make act-docker`).

act might lose the last lines of a failing step, so the tests look at the requests that the fake
API received, at files, and at act's exit status. The fixture `fake_api` checks that the requests
are the recorded ones: that a login is logged out, and that a failed one is not.
"""

from __future__ import annotations

import pytest

from tests.act.act import IN_CONTAINERS, Act
from tests.conftest import Play

pytestmark = pytest.mark.act


@pytest.mark.parametrize(
    ("workflow", "recordings", "status", "seen"),
    [
        ("login.yml", ["ghcr"], 0, "ghcr.io ghcr\n"),
        ("login.yml", ["refused-by-registry"], 1, None),
        ("later-failure.yml", ["ghcr"], 1, None),
        ("timeout.yml", ["slow-login"], 1, None),
        ("composite.yml", ["ghcr"], 0, "ghcr.io\n"),
        ("outer.yml", ["ghcr"], 0, "ghcr.io\n"),
        ("continue-on-error.yml", ["key-not-allowed", "ghcr"], 0, ""),
        ("reusable.yml", ["ghcr"], 0, None),
    ],
)
def test_workflow_logs_out_of_what_it_logged_in_to(
    fake_api: Play, act: Act, workflow: str, recordings: list[str], *, status: int, seen: str | None
) -> None:
    """Steps after a login run and see its outputs only if it succeeded."""
    assert act.run(workflow, fake_api(*recordings)) == status
    assert act.seen() == seen


@pytest.mark.parametrize(
    ("workflow", "with_python"), [("reusable-without-secrets.yml", True), ("login.yml", False)]
)
def test_job_without_secrets_or_python_fails(
    fake_api: Play,
    act: Act,
    capfd: pytest.CaptureFixture[str],
    workflow: str,
    with_python: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """The error is an annotation, and nothing is sent."""
    assert act.run(workflow, fake_api(), with_python=with_python) == 1
    assert "::error::" in capfd.readouterr().out


def test_cancel_while_python_starts_sends_no_login(fake_api: Play, act: Act) -> None:
    """Where the runner leaves main running, its Python starts only after post has ended."""
    assert act.run("cancellation.yml", fake_api(), cancel_when=act.seen_file.exists) == 1


@pytest.mark.parametrize(
    ("recording", "requests"),
    [
        pytest.param(
            *("slow-answer", 1),
            marks=pytest.mark.skipif(
                not IN_CONTAINERS, reason="On the host act kills main, and the response is lost."
            ),
        ),
        ("slow-login", 2),
    ],
)
def test_canceled_login_is_logged_out(
    fake_api: Play, act: Act, recording: str, requests: int
) -> None:
    """The post step waits for the response, and for the login."""
    api = fake_api(recording)
    assert act.run("login.yml", api, cancel_when=lambda: len(api.requests) >= requests) == 1
    assert act.seen() is None
