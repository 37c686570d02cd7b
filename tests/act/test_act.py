"""Workflows with the action, on the host (`make act`) and in containers (`make act-docker`).

act might lose the last lines of a failing step, so the tests look at the requests that the fake
API received, at files, and at act's exit status.
"""

from __future__ import annotations

import pytest

from tests.act.act import IN_CONTAINERS, Act
from tests.conftest import Play
from tests.fake_api import FakeApi

pytestmark = pytest.mark.act

LOGIN_AND_LOGOUT = ["login", "poll", "logout", "poll"]


def logged_out(api: FakeApi) -> list[str]:
    """Return the registries of the logout requests, in their order."""
    return [seen.body["registry_url"] for seen in api.requests if seen.path.endswith("/logout")]


def test_login_outputs_and_logout(fake_api: Play, act: Act) -> None:
    """A later step reads the three outputs, and the logout follows at the end of the job."""
    api = fake_api("ghcr")
    assert act.run("login.yml", api) == 0
    operation, registry_url, registry_type = act.seen_file.read_text("utf-8").split()
    assert operation in api.requests[1].path
    assert (registry_url, registry_type) == ("ghcr.io", "ghcr")
    assert api.calls() == LOGIN_AND_LOGOUT


def test_cleanup_false_keeps_the_login(fake_api: Play, act: Act) -> None:
    """The post step sends nothing."""
    api = fake_api("login-only")
    assert act.run("cleanup-false.yml", api) == 0
    assert api.calls() == ["login", "poll"]


def test_refused_login_fails_the_job(fake_api: Play, act: Act) -> None:
    """No later step runs, and there is nothing to log out."""
    api = fake_api("refused-by-registry")
    assert act.run("login.yml", api) == 1
    assert not act.seen_file.exists()
    assert api.calls() == ["login", "poll"]


def test_failure_of_a_later_step_logs_out(fake_api: Play, act: Act) -> None:
    """The job fails, and the post step runs all the same."""
    api = fake_api("ghcr")
    assert act.run("later-failure.yml", api) == 1
    assert api.calls() == LOGIN_AND_LOGOUT


def test_timeout_fails_the_job_and_logs_out(fake_api: Play, act: Act) -> None:
    """The post step waits for the login before it logs out."""
    api = fake_api("slow-login")
    assert act.run("timeout.yml", api) == 1
    assert not act.seen_file.exists()
    assert api.calls() == LOGIN_AND_LOGOUT


def test_cancel_while_python_starts_sends_no_login(fake_api: Play, act: Act) -> None:
    """Where the runner leaves main running, its Python starts only after post has ended."""
    api = fake_api()
    assert act.cancel("cancellation.yml", api, when=act.seen_file.exists) == 1
    assert api.requests == []


@pytest.mark.skipif(
    not IN_CONTAINERS, reason="On the host act kills main, and the response is lost."
)
def test_cancel_during_the_login_request_logs_out(fake_api: Play, act: Act) -> None:
    """The post step waits for main, which still receives the response."""
    api = fake_api("slow-answer")
    assert act.cancel("login.yml", api, when=lambda: len(api.requests) >= 1) == 1
    assert not act.seen_file.exists()
    assert api.calls() == LOGIN_AND_LOGOUT


def test_cancel_while_the_login_is_polled_logs_out(fake_api: Play, act: Act) -> None:
    """The post step waits for the login before it logs out."""
    api = fake_api("slow-login")
    assert act.cancel("login.yml", api, when=lambda: len(api.requests) >= 2) == 1
    assert not act.seen_file.exists()
    assert api.calls() == LOGIN_AND_LOGOUT


@pytest.mark.parametrize("workflow", ["composite.yml", "outer.yml"])
def test_login_in_composite_actions(fake_api: Play, act: Act, workflow: str) -> None:
    """One and two levels deep."""
    api = fake_api("ghcr")
    assert act.run(workflow, api) == 0
    assert act.seen_file.read_text("utf-8") == "ghcr.io\n"
    assert api.calls() == LOGIN_AND_LOGOUT
    keys = {seen.headers["Authorization"] for seen in api.requests}
    assert keys == {"Bearer rca_Zm9vYmFy0123456789"}


def test_two_logins_log_out_in_reverse_order(fake_api: Play, act: Act) -> None:
    """Each login has a state of its own."""
    api = fake_api("ghcr", "docker-hub")
    assert act.run("two-logins.yml", api) == 0
    assert logged_out(api) == ["docker.io", "ghcr.io"]


def test_continue_on_error(fake_api: Play, act: Act) -> None:
    """The job goes on after a failed login, and only the other login is logged out."""
    api = fake_api("key-not-allowed", "ghcr")
    assert act.run("continue-on-error.yml", api) == 0
    assert act.seen_file.exists()
    assert logged_out(api) == ["ghcr.io"]


def test_matrix_logs_each_server_in_and_out(fake_api: Play, act: Act) -> None:
    """The jobs run at the same time."""
    api = fake_api("ghcr", "ghcr", "ghcr")
    assert act.run("matrix.yml", api) == 0
    for word in ("/login", "/logout"):
        servers = [seen.body["server_id"] for seen in api.requests if seen.path.endswith(word)]
        assert sorted(servers) == [f"11111111-2222-4333-8444-00000000000{n}" for n in (1, 2, 3)]


def test_reusable_workflow(fake_api: Play, act: Act) -> None:
    """It inherits the secrets of its caller."""
    api = fake_api("ghcr")
    assert act.run("reusable.yml", api) == 0
    assert api.calls() == LOGIN_AND_LOGOUT


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
    api = fake_api()
    assert act.run(workflow, api, with_python=with_python) == 1
    assert "::error::" in capfd.readouterr().out
    assert api.requests == []
