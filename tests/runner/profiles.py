"""What the runners of GitHub, act, Gitea and Forgejo do differently, as far as a step can tell.

GitHub's is written from the source of actions/runner; the others from what nektos/act 0.2.89,
Gitea's runner 3.1 and Forgejo's runner 12 did in host mode, and from their sources. Gitea's and
Forgejo's were run by their `exec`, without a server: so some names are empty there.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.runner import act_log, files, log

Variables = Mapping[str, str]


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Profile:
    """A runner.

    Args:
        name: Whose it is.
        variables: What it sets for every step.
        debug_variables: What it sets besides where the user asked for debug lines.
        input_name: Gives the variable of an input.
        is_kept: Tells whether a variable of the job reaches the step at all.
        is_input_inherited: Whether a variable INPUT_X of the job, or the input x of the composite
            action around the step, is the value of an input x that is not given.
        is_post_without_inputs: Whether the inputs of post are wrong inside a composite action
            (actions/runner#2030).
        has_fresh_files: Whether each stage has command files of its own, which stay until the job
            ends; otherwise the same ones are emptied for each stage.
        parse: Reads a command file.
        grammar: How it reads a log.
        has_terminal: Whether stdin, stdout and stderr are a terminal.
        stops: The signals by which a stage is ended, each with the seconds that it is given.
        is_all_stopped: Whether Node's children get these signals too.
        patience: For how many seconds it waits for the output of children that Node left behind.
    """

    name: str
    variables: Variables
    debug_variables: Variables = field(default_factory=dict)
    input_name: Callable[[str], str]
    is_kept: Callable[[str], bool]
    is_input_inherited: bool = False
    is_post_without_inputs: bool = False
    has_fresh_files: bool = False
    parse: Callable[[str], dict[str, str]]
    grammar: log.Grammar
    has_terminal: bool = True
    stops: Sequence[tuple[signal.Signals, float]] = ((signal.SIGKILL, 60.0),)
    is_all_stopped: bool = False
    patience: float = 0.0

    def __str__(self) -> str:
        return self.name

    def inputs(self, defaults: Variables, given: Variables, inherited: Variables) -> Variables:
        """Give the variables of a step's inputs.

        Args:
            defaults: The inputs that the action declares, with their defaults or nothing.
            given: What `with` says.
            inherited: The variables of the job, and of a composite action around the step.
        """
        values = {self.input_name(name): value for name, value in defaults.items()}
        if self.is_input_inherited:
            values |= {name: inherited[name] for name in values if name in inherited}
        return values | {self.input_name(name): value for name, value in given.items()}


def _github_name(name: str) -> str:
    return f"INPUT_{name.replace(' ', '_').upper()}"


def _act_name(name: str) -> str:
    return "INPUT_" + re.sub(r"[^A-Z0-9-]", "_", name.upper())


_RUN = {
    "CI": "true",
    "GITHUB_ACTIONS": "true",
    "GITHUB_ACTOR": "octocat",
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_REPOSITORY": "acme/shop",
    "GITHUB_RUN_ID": "7301",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_SHA": "0123456789abcdef0123456789abcdef01234567",
    "GITHUB_WORKFLOW": "Deploy",
    "RUNNER_OS": "Linux",
    "RUNNER_ARCH": "X64",
}
_ACT = {
    **_RUN,
    "ACT": "true",
    "GITHUB_ACTION_PATH": "",
    "GITHUB_ACTOR": "nektos/act",
    "GITHUB_REPOSITORY": "nektos/act",
    "GITHUB_RUN_ID": "1",
    "RUNNER_TRACKING_ID": "",
}
_EXEC = {**_ACT, "GITEA_ACTIONS": "true", "GITHUB_EVENT_NAME": "", "GITHUB_REPOSITORY": ""}

GITHUB = Profile(
    name="github",
    variables={**_RUN, "RUNNER_TRACKING_ID": "github_0f8fad5b-d9cb-469f-a165-70867728950e"},
    debug_variables={"RUNNER_DEBUG": "1"},
    input_name=_github_name,
    is_kept=lambda _name: True,
    is_post_without_inputs=True,
    has_fresh_files=True,
    parse=files.parse,
    grammar=log.GITHUB,
    has_terminal=False,
    stops=((signal.SIGINT, 7.5), (signal.SIGTERM, 2.5), (signal.SIGKILL, 60.0)),
    patience=5.0,
)
ACT = Profile(
    name="act",
    variables=_ACT,
    input_name=_act_name,
    is_kept=lambda name: "INPUT_" not in name,
    parse=files.parse_act,
    grammar=act_log.ACT,
)
GITEA = Profile(
    name="gitea",
    variables={**_EXEC, "RUNNER_OS": "linux", "RUNNER_ARCH": "amd64"},
    debug_variables={"RUNNER_DEBUG": "1"},
    input_name=_act_name,
    is_kept=lambda _name: True,
    is_input_inherited=True,
    parse=files.parse_gitea,
    grammar=act_log.GITEA,
    has_terminal=False,
    is_all_stopped=True,
)
FORGEJO = Profile(
    name="forgejo",
    variables={
        **{name.replace("GITHUB_", "FORGEJO_"): value for name, value in _EXEC.items()},
        **_EXEC,
        "FORGEJO_ACTIONS": "true",
        "FORGEJO_TOKEN": "a-token-of-the-job",
        "GITHUB_TOKEN": "a-token-of-the-job",
    },
    input_name=_act_name,
    is_kept=lambda name: not name.startswith("INPUT_"),
    parse=files.parse_forgejo,
    grammar=act_log.FORGEJO,
    is_all_stopped=True,
)

PROFILES = (GITHUB, ACT, GITEA, FORGEJO)
