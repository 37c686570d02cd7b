"""Differences between the runners of GitHub, act, Gitea and Forgejo.

GitHub's profile follows the source of actions/runner; the others follow nektos/act 0.2.89, Gitea's
runner 3.1 and Forgejo's runner 12 in host mode, the last two in `exec`, without a server.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Profile:
    """One of the runners."""

    name: str
    variables: Mapping[str, str]  # environment of every step
    dropped: str = "$^"  # pattern of the job's variables that do not reach a step
    has_terminal: bool = True  # for stdin, stdout and stderr
    # Signals that stop a stage, each with the seconds before the next one.
    stops: Sequence[tuple[signal.Signals, float]] = ((signal.SIGKILL, 60.0),)
    stops_children: bool = False  # whether Node's children get these signals too
    drain_seconds: float = 0.0  # how long it waits for the output of children that outlive Node

    def __str__(self) -> str:
        return self.name

    @property
    def is_github(self) -> bool:
        """Whether each stage has its own command files, and a composite's post has wrong inputs."""
        return self.name == "github"

    def input_variable(self, name: str) -> str:
        """Return the variable of an input."""
        return "INPUT_" + re.sub(" " if self.is_github else "[^A-Z0-9-]", "_", name.upper())


def _variables(text: str) -> dict[str, str]:
    return dict(pair.split("=") for pair in text.split())


_RUN = _variables(
    """CI=true GITHUB_ACTIONS=true GITHUB_ACTOR=octocat GITHUB_EVENT_NAME=push
    GITHUB_REF=refs/heads/main GITHUB_REPOSITORY=acme/shop GITHUB_RUN_ID=7301
    GITHUB_SERVER_URL=https://github.com GITHUB_SHA=0123456789abcdef0123456789abcdef01234567
    GITHUB_WORKFLOW=Deploy RUNNER_OS=Linux RUNNER_ARCH=X64"""
)
_ACT = _RUN | _variables(
    """ACT=true GITHUB_ACTION_PATH= GITHUB_ACTOR=nektos/act GITHUB_REPOSITORY=nektos/act
    GITHUB_RUN_ID=1 RUNNER_TRACKING_ID="""
)
_EXEC = _ACT | _variables("GITEA_ACTIONS=true GITHUB_EVENT_NAME= GITHUB_REPOSITORY=")

GITHUB = Profile(
    name="github",
    variables=_RUN | _variables("RUNNER_TRACKING_ID=github_0f8fad5b-d9cb-469f-a165-70867728950e"),
    has_terminal=False,
    stops=((signal.SIGINT, 7.5), (signal.SIGTERM, 2.5), (signal.SIGKILL, 60.0)),
    drain_seconds=5.0,
)
ACT = Profile(name="act", variables=_ACT, dropped=".*INPUT_")
_GITEA = _EXEC | _variables("RUNNER_OS=linux RUNNER_ARCH=amd64")
GITEA = Profile(name="gitea", variables=_GITEA, has_terminal=False, stops_children=True)
_FORGEJO = {name.replace("GITHUB_", "FORGEJO_"): value for name, value in _EXEC.items()} | _EXEC
_FORGEJO |= _variables("FORGEJO_ACTIONS=true FORGEJO_TOKEN=a-token GITHUB_TOKEN=a-token")
FORGEJO = Profile(name="forgejo", variables=_FORGEJO, dropped="INPUT_", stops_children=True)

PROFILES = (GITHUB, ACT, GITEA, FORGEJO)
