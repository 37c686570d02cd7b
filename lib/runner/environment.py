"""What the runner and the launcher pass in environment variables. Nothing else here reads them.

Which runner sets which variable: GitHub's documentation of the default variables, and
actions/runner, src/Runner.Worker/GitHubContext.cs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lib.run_context import RunContext

# Read by OpenSSL, by requests and by Node.
_CA_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")


@dataclass(frozen=True, slots=True)
class Environment:
    """Environment variables of a step, by meaning."""

    variables: Mapping[str, str] = field(repr=False)

    def input(self, name: str) -> str:
        """Return a step input without surrounding whitespace, empty if not set."""
        return self._get(f"INPUT_{name.upper()}").strip()

    def secrets(self) -> list[str]:
        """Return the values of the inputs that are secret."""
        return [self.input(name) for name in ("api_key", "access_token")]

    def saved_state(self, name: str) -> str:
        """Return the state that main saved under this name, empty if there is none."""
        return self._get(f"STATE_{name}")

    def state_file(self) -> Path | None:
        """Return the command file for state, if the runner created one."""
        return self._path("GITHUB_STATE")

    def output_file(self) -> Path | None:
        """Return the command file for step outputs, if the runner created one."""
        return self._path("GITHUB_OUTPUT")

    def step(self) -> str:
        """Return the runner's name for the step, the same in main and post."""
        return self._get("GITHUB_ACTION")

    def is_composite(self) -> bool:
        """Return whether the step is part of a composite action."""
        # Runners set this for such steps only; elsewhere it is unset or empty.
        return bool(self._get("GITHUB_ACTION_PATH"))

    def is_gitea(self) -> bool:
        """Return whether the runner is Gitea's or Forgejo's."""
        return self._get("GITEA_ACTIONS") == "true"

    def is_act(self) -> bool:
        """Return whether the runner is act or based on it (Gitea's, Forgejo's)."""
        return self._get("ACT") == "true"

    def is_debug(self) -> bool:
        """Return whether debug logging is enabled."""
        return self._get("RUNNER_DEBUG") == "1"

    def ca_paths(self) -> dict[str, str]:
        """Return files or folders with additional CA certificates, by variable."""
        paths = {name: self._get(name).strip() for name in _CA_VARIABLES}
        return {name: path for name, path in paths.items() if path}

    def launcher_pid(self) -> int | None:
        """Return the process id of lib/launcher, if it started this process."""
        pid = self._get("DOCKER_AUTH_LAUNCHER")
        return int(pid) if pid.isdecimal() else None

    def launcher_namespace(self) -> str:
        """Return the PID namespace of lib/launcher, empty if unknown."""
        return self._get("DOCKER_AUTH_PID_NAMESPACE")

    def login_id(self) -> str:
        """Return the id that the launcher assigned to this login, empty without a launcher."""
        return self._get("DOCKER_AUTH_LOGIN_ID")

    def seconds_left(self) -> float | None:
        """Return the seconds until the launcher ends post, if it limits the time."""
        try:
            return float(self._get("DOCKER_AUTH_SECONDS"))
        except ValueError:
            return None

    def wants_own_exit_codes(self) -> bool:
        """Return whether the launcher expects exit codes that no other program uses."""
        return self._get("DOCKER_AUTH_EXIT_CODES") == "1"

    def run_context(self) -> RunContext:
        """Return which workflow run this is."""
        return RunContext(
            provider="gitea_actions" if self.is_gitea() else "github_actions",
            repository=self._get("GITHUB_REPOSITORY"),
            workflow=self._get("GITHUB_WORKFLOW"),
            trigger=self._get("GITHUB_EVENT_NAME"),
            actor=self._get("GITHUB_ACTOR"),
            sha=self._get("GITHUB_SHA"),
            ref=self._get("GITHUB_REF"),
            run_id=self._get("GITHUB_RUN_ID"),
        )

    def _path(self, name: str) -> Path | None:
        path = self._get(name)
        return Path(path) if path else None

    def _get(self, name: str) -> str:
        return self.variables.get(name, "")
