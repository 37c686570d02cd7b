"""What the runner and the launcher pass in environment variables. Nothing else here reads them.

GitHub documents its default variables; see actions/runner, src/Runner.Worker/GitHubContext.cs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from lib.run_context import RunContext

T = TypeVar("T")

# Read by OpenSSL, by requests and by Node.
_CA_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")


def _variable(name: str, parse: Callable[[str], T]) -> Callable[["Environment"], T]:
    """Return a method that parses a variable, which is empty if not set."""
    return lambda self: parse(self.variables.get(name, ""))


def _path(text: str) -> Path | None:
    return Path(text) if text else None


def _pid(text: str) -> int | None:
    return int(text) if text.isdecimal() else None


def _seconds(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Environment:
    """Environment variables of a step, by meaning."""

    variables: Mapping[str, str] = field(repr=False)

    # The command files, if the runner created them.
    state_file = _variable("GITHUB_STATE", _path)
    output_file = _variable("GITHUB_OUTPUT", _path)
    # The runner's name for the step, the same in main and post.
    step = _variable("GITHUB_ACTION", str)
    # Whether the step is part of a composite action: runners set this for such steps only.
    is_composite = _variable("GITHUB_ACTION_PATH", bool)
    # Whether the runner is Gitea's or Forgejo's, and whether it is act or based on it, as both are.
    is_gitea = _variable("GITEA_ACTIONS", "true".__eq__)
    is_act = _variable("ACT", "true".__eq__)
    is_debug = _variable("RUNNER_DEBUG", "1".__eq__)
    # Of lib/launcher, if it started this process: its process id and its PID namespace.
    launcher_pid = _variable("DOCKER_AUTH_LAUNCHER", _pid)
    launcher_namespace = _variable("DOCKER_AUTH_PID_NAMESPACE", str)
    # The id that the launcher assigned to this login.
    login_id = _variable("DOCKER_AUTH_LOGIN_ID", str)
    # Until the launcher ends post, if it limits the time.
    seconds_left = _variable("DOCKER_AUTH_SECONDS", _seconds)
    # Whether the launcher expects exit codes that no other program uses.
    wants_own_exit_codes = _variable("DOCKER_AUTH_EXIT_CODES", "1".__eq__)

    def input(self, name: str) -> str:
        """Return a step input without surrounding whitespace, empty if not set."""
        return self.variables.get(f"INPUT_{name.upper()}", "").strip()

    def secrets(self) -> list[str]:
        """Return the values of the inputs that are secret."""
        return [self.input(name) for name in ("api_key", "access_token")]

    def saved_state(self, name: str) -> str:
        """Return the state that main saved under this name, empty if there is none."""
        return self.variables.get(f"STATE_{name}", "")

    def ca_paths(self) -> dict[str, str]:
        """Return files or folders with additional CA certificates, by variable."""
        paths = {name: self.variables.get(name, "").strip() for name in _CA_VARIABLES}
        return {name: path for name, path in paths.items() if path}

    def run_context(self) -> RunContext:
        """Return which workflow run this is."""
        fields = ("repository", "workflow", "actor", "sha", "ref", "run_id")
        values = {name: self.variables.get(f"GITHUB_{name.upper()}", "") for name in fields}
        provider = "gitea_actions" if self.is_gitea() else "github_actions"
        trigger = self.variables.get("GITHUB_EVENT_NAME", "")
        return RunContext(provider=provider, trigger=trigger, **values)
