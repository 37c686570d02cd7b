"""What the runner tells a step. Nothing else here reads the environment.

Which variable is there in which runner: GitHub's documentation of the default variables,
and actions/runner, src/Runner.Worker/GitHubContext.cs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lib.models import Run

# The one entry in the state: main saves it under this name, post finds it as STATE_<name>.
STATE_NAME = "login"
# OpenSSL's, requests' and Node's.
_CA_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables of a step, by what they mean.

    Args:
        variables: The process's environment, or in tests whatever a runner would set.
    """

    variables: Mapping[str, str] = field(repr=False)

    def input(self, name: str) -> str:
        """Give an input without the white space around it; empty where it is not given."""
        return self._get(f"INPUT_{name.upper()}").strip()

    def secrets(self) -> list[str]:
        """Give the inputs that nobody may see."""
        return [self.input(name) for name in ("api_key", "access_token")]

    def saved_state(self) -> str:
        """Give what main saved for post; empty where it saved nothing."""
        return self._get(f"STATE_{STATE_NAME}")

    def state_file(self) -> Path | None:
        """Give the file that takes state for post, if the runner made one."""
        return self._file("GITHUB_STATE")

    def output_file(self) -> Path | None:
        """Give the file that takes the step's outputs, if the runner made one."""
        return self._file("GITHUB_OUTPUT")

    def is_composite(self) -> bool:
        """Tell whether the step is part of a composite action.

        Runners set GITHUB_ACTION_PATH for such a step alone: outside it is unset or empty.
        """
        return bool(self._get("GITHUB_ACTION_PATH"))

    def is_gitea(self) -> bool:
        """Tell whether the runner is Gitea's or Forgejo's."""
        return self._get("GITEA_ACTIONS") == "true"

    def is_act(self) -> bool:
        """Tell whether the runner is act, or one that descends from it (Gitea's, Forgejo's)."""
        return self._get("ACT") == "true"

    def is_debug(self) -> bool:
        """Tell whether the user asked the runner for debug lines."""
        return self._get("RUNNER_DEBUG") == "1"

    def ca_paths(self) -> dict[str, str]:
        """Give the files or folders with certificates to trust, by the variable that names each.

        An empty variable names none.
        """
        named = {name: self._get(name).strip() for name in _CA_VARIABLES}
        return {name: path for name, path in named.items() if path}

    def launcher(self) -> int | None:
        """Give the process id of lib/launcher, if that is what started this process."""
        process = self._get("DOCKER_AUTH_LAUNCHER")
        return int(process) if process.isdecimal() else None

    def run(self) -> Run:
        """Tell which run of which workflow this is."""
        return Run(
            provider="gitea_actions" if self.is_gitea() else "github_actions",
            repository=self._get("GITHUB_REPOSITORY"),
            workflow=self._get("GITHUB_WORKFLOW"),
            trigger=self._get("GITHUB_EVENT_NAME"),
            actor=self._get("GITHUB_ACTOR"),
            sha=self._get("GITHUB_SHA"),
            ref=self._get("GITHUB_REF"),
            run_id=self._get("GITHUB_RUN_ID"),
        )

    def _file(self, name: str) -> Path | None:
        path = self._get(name)
        return Path(path) if path else None

    def _get(self, name: str) -> str:
        return self.variables.get(name, "")
