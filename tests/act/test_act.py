"""The action in real workflows, run by act in host mode (no Docker).

act may lose the last lines of a failing step, so the tests look at what the fake API saw, at
files, and at act's exit status. In CI (CI=true) a missing act is a failure, not a skip.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.conftest import Play
from tests.fake_api import FakeApi
from tests.runner.checkout import ROOT, check_out

pytestmark = pytest.mark.act

WORKFLOWS = ROOT / "tests" / "act" / "workflows"
TIMEOUT_SECONDS = 100
LOGIN_AND_LOGOUT = ["login", "poll", "logout", "poll"]


class Act:
    """Runs workflows under act, in a repository of their own.

    Args:
        folder: Where that repository and act's files go.
        program: act itself.
    """

    def __init__(self, folder: Path, program: str) -> None:
        self._folder = folder
        self._program = program
        self._repository = folder / "repository"
        self.seen_file = folder / "seen"
        self._action = folder / "action"
        check_out(self._action)
        _commit_workflows(self._repository)

    def run(self, workflow: str, api: FakeApi, *, path: str = os.environ["PATH"]) -> int:
        """Run a workflow against a fake API, with the programs of a PATH.

        Returns:
            act's exit status.
        """
        return self.begin(workflow, api, path=path).wait(TIMEOUT_SECONDS)

    def begin(
        self,
        workflow: str,
        api: FakeApi,
        *more: str,
        event: str = "push",
        path: str = os.environ["PATH"],
    ) -> subprocess.Popen[bytes]:
        """Start to run a workflow against a fake API, with more arguments for act."""
        variables = {
            "REOCLO_SERVER_ID": "11111111-2222-4333-8444-555555555555",
            "REOCLO_CREDENTIAL_ID": "66666666-7777-4888-9999-000000000000",
            "REOCLO_API_URL": api.url,
            "SEEN_FILE": str(self.seen_file),
        }
        command = [self._program, event, "-C", str(self._repository), *more]
        command += ["-W", str(self._repository / workflow), "-P", "ubuntu-latest=-self-hosted"]
        command += ["--no-cache-server", "--action-cache-path", str(self._folder / "cache")]
        command += ["--local-repository", f"reoclo/docker-auth@v1={self._action}", "--rm"]
        command += ["-s", "GITHUB_TOKEN=not-a-token-but-long-enough"]
        command += ["-s", "REOCLO_API_KEY=rca_Zm9vYmFy0123456789"]
        for name, value in variables.items():
            command += ["--var", f"{name}={value}"]
        environment = {"HOME": str(self._folder), "PATH": path}
        return subprocess.Popen(
            command,
            env={**environment, "ACT_DISABLE_VERSION_CHECK": "1"},
            stdin=subprocess.DEVNULL,
        )


@pytest.fixture
def act(tmp_path: Path) -> Act:
    """Make act ready, or skip with a word on how to get it."""
    program = shutil.which("act")
    if program is None:
        missing = "act is not on PATH: go install github.com/nektos/act@v0.2.89"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return Act(tmp_path, program)


def _commit_workflows(repository: Path) -> None:
    """Make a repository with a commit: without one act has much to say."""
    shutil.copytree(WORKFLOWS, repository)
    git = ["git", "-C", str(repository), "-c", "user.name=test", "-c", "user.email=test@localhost"]
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "Workflows"]):
        subprocess.run([*git, *command], check=True)


def test_login_outputs_and_logout(fake_api: Play, act: Act) -> None:
    """A job logs in, a later step reads the three outputs, the logout follows at the end."""
    api = fake_api("ghcr")

    assert act.run("login.yml", api) == 0

    operation, registry_url, registry_type = act.seen_file.read_text("utf-8").split()
    assert operation in api.requests[1].path
    assert (registry_url, registry_type) == ("ghcr.io", "ghcr")
    assert api.calls() == LOGIN_AND_LOGOUT


def test_a_slow_login_is_waited_for(fake_api: Play, act: Act) -> None:
    """Later steps run only when a login that takes a while has ended."""
    api = fake_api("slow-login")

    assert act.run("login.yml", api) == 0
    assert act.seen_file.exists()
    assert api.calls() == LOGIN_AND_LOGOUT


def test_cleanup_false(fake_api: Play, act: Act) -> None:
    """With cleanup: false the job is green and the API is asked for no logout."""
    api = fake_api("login-only")

    assert act.run("cleanup-false.yml", api) == 0
    assert api.calls() == ["login", "poll"]


def test_a_refused_login(fake_api: Play, act: Act) -> None:
    """A login that the registry refuses makes the job red; nothing is logged out."""
    api = fake_api("refused-by-registry")

    assert act.run("login.yml", api) == 1
    assert not act.seen_file.exists()
    assert api.calls() == ["login", "poll"]


def test_a_later_step_that_fails(fake_api: Play, act: Act) -> None:
    """When a later step fails the job is red, and the server is logged out all the same."""
    api = fake_api("ghcr")

    assert act.run("later-failure.yml", api) == 1
    assert api.calls() == LOGIN_AND_LOGOUT


def check_logout_after_login(api: FakeApi, seconds: float) -> None:
    """Check that the logout was asked for when the login had been given its time."""
    assert api.calls() == LOGIN_AND_LOGOUT
    login, logout = (seen for seen in api.requests if seen.method == "POST")
    assert logout.at - login.at >= seconds


def test_a_job_that_is_cancelled_while_the_login_polls(fake_api: Play, act: Act) -> None:
    """Main is killed at once; post waits for the login to end, and only then logs out."""
    api = fake_api("slow-login")

    running = act.begin("login.yml", api)
    while len(api.requests) < 2:
        assert running.poll() is None
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)

    assert running.wait(TIMEOUT_SECONDS) != 0
    assert not act.seen_file.exists()
    check_logout_after_login(api, 2)


def test_a_login_that_outlasts_its_timeout(fake_api: Play, act: Act) -> None:
    """The step fails at its timeout; the server is logged out after the login has ended."""
    api = fake_api("slow-login")

    assert act.run("timeout.yml", api) == 1
    assert not act.seen_file.exists()
    check_logout_after_login(api, 2)


def logged_out(api: FakeApi) -> list[str]:
    """Give the registries that were logged out, in their order."""
    return [seen.body["registry_url"] for seen in api.requests if seen.path.endswith("/logout")]


@pytest.mark.parametrize("workflow", ["composite.yml", "outer.yml"])
def test_a_login_inside_composite_actions(fake_api: Play, act: Act, workflow: str) -> None:
    """One and two deep the server is logged in and out, and the output comes through."""
    api = fake_api("ghcr")

    assert act.run(workflow, api) == 0
    assert act.seen_file.read_text("utf-8") == "ghcr.io\n"
    assert api.calls() == LOGIN_AND_LOGOUT
    keys = {seen.headers["Authorization"] for seen in api.requests}
    assert keys == {"Bearer rca_Zm9vYmFy0123456789"}


def test_two_logins_in_one_job(fake_api: Play, act: Act) -> None:
    """The second login is logged out first, each of its own registry."""
    api = fake_api("ghcr", "docker-hub")

    assert act.run("two-logins.yml", api) == 0
    assert logged_out(api) == ["docker.io", "ghcr.io"]


def test_five_logins_in_one_job(fake_api: Play, act: Act) -> None:
    """Five states are kept apart."""
    api = fake_api("ghcr", "docker-hub", "harbor", "azure-acr", "generic")

    assert act.run("five-logins.yml", api) == 0
    assert logged_out(api) == [
        *("registry.example.com:5000", "contoso.azurecr.io", "harbor.example.com"),
        *("docker.io", "ghcr.io"),
    ]


def test_the_same_registry_twice(fake_api: Play, act: Act) -> None:
    """A registry that two steps log in to is logged out twice, and the job is green."""
    api = fake_api("ghcr", "ghcr")

    assert act.run("two-logins.yml", api) == 0
    assert logged_out(api) == ["ghcr.io", "ghcr.io"]


def test_a_login_that_may_fail(fake_api: Play, act: Act) -> None:
    """With continue-on-error the job goes on, and logs out what was logged in."""
    api = fake_api("key-not-allowed", "ghcr")

    assert act.run("continue-on-error.yml", api) == 0
    assert act.seen_file.exists()
    assert logged_out(api) == ["ghcr.io"]


def test_a_matrix(fake_api: Play, act: Act) -> None:
    """Each job of a matrix logs its own server in and out."""
    api = fake_api("ghcr", "ghcr", "ghcr")

    assert act.run("matrix.yml", api) == 0
    for word in ("/login", "/logout"):
        asked = [seen.body["server_id"] for seen in api.requests if seen.path.endswith(word)]
        assert sorted(asked) == [f"11111111-2222-4333-8444-00000000000{n}" for n in (1, 2, 3)]


def test_a_reusable_workflow(fake_api: Play, act: Act) -> None:
    """With `secrets: inherit` it has the key."""
    api = fake_api("ghcr")

    assert act.run("reusable.yml", api) == 0
    assert api.calls() == LOGIN_AND_LOGOUT


def test_a_reusable_workflow_without_secrets(
    fake_api: Play, act: Act, capfd: pytest.CaptureFixture[str]
) -> None:
    """Without them the key is empty: the job is red, and nothing is asked of the API."""
    api = fake_api()

    assert act.run("reusable-without-secrets.yml", api) == 1
    assert "The input api_key is missing or empty" in capfd.readouterr().out
    assert api.requests == []


def test_a_job_without_python(
    fake_api: Play, act: Act, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Where there is Node and no Python, the job is red and says what to add."""
    api = fake_api()
    node = shutil.which("node")
    assert node
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "node").symlink_to(node)

    assert act.run("login.yml", api, path=str(tmp_path / "bin")) == 1
    assert "Add a step with actions/setup-python" in capfd.readouterr().out
    assert api.requests == []
