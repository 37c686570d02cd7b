"""What main saves for post: one entry, saved anew at each stage.

A later entry replaces an earlier one, so a kill at any moment leaves a complete state. Post
validates all of it, because an earlier step of the job may have written an entry of that name.
"""

import json
from dataclasses import dataclass, field, fields, replace
from enum import Enum

from lib import hints
from lib.errors import StateError
from lib.formats import is_operation_id, is_registry_url, is_server_name, is_uuid, normalize_api_url
from lib.hints import Hint

STATE_NAME = "login"  # of the entry, which post reads as STATE_login
VERSION = 2


class Stage(str, Enum):
    """How far the login has progressed, in order."""

    NONE = "none"
    REQUESTED = "requested"
    ACCEPTED = "accepted"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginState:
    """A login as post must know it. What is not known is empty."""

    stage: Stage  # the launcher saves NONE, with id and step only
    id: str = ""  # of this run of main
    step: str = ""  # the runner's name for the step
    pid: int = 0  # of main
    started: str = ""  # start time of main, as the system reports it
    interpreter: str = ""  # path of main's Python
    server_id: str = ""
    server_name: str = ""
    credential_id: str = ""  # empty in passthrough mode
    api_url: str = ""
    cleanup: bool = True  # whether post logs out
    operation_id: str = ""  # of the login
    registry_url: str = ""
    maybe_repeated: bool = False  # as in AcceptedLogin
    # Only in a composite action, where runners evaluate post's inputs in the wrong context
    # (actions/runner#2030).
    api_key: str = field(default="", repr=False)

    @property
    def server(self) -> str:
        """The server for messages: its name or, if unknown, its id."""
        return f"server {self.server_name or self.server_id}"

    def encode(self) -> str:
        """Return the state as one line of ASCII."""
        return json.dumps({"version": VERSION, **self._values()}, separators=(",", ":"))

    def encode_without_key(self) -> str:
        """Return the same without the API key of a composite action."""
        return replace(self, api_key="").encode()

    def is_older_than(self, other: "LoginState") -> bool:
        """Return whether the other state of the same login is a later one."""
        stages = list(Stage)
        return stages.index(self.stage) < stages.index(other.stage)

    @classmethod
    def decode(cls, text: str) -> "LoginState":
        """Parse what `encode` returned, or raise `StateError` if the text is anything else."""
        try:
            data = json.loads(text)
            if data.pop("version") != VERSION:
                raise damaged_state("it was saved by a different version of this action")
            state = cls(**{**data, "stage": Stage(data["stage"])})
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise damaged_state("it is damaged, or another program saved it") from None
        state._validate()
        return state

    def _values(self) -> dict[str, object]:
        # Not by `asdict`, which copies each value and takes three times as long.
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def _validate(self) -> None:
        kinds = {"stage": Stage, "cleanup": bool, "maybe_repeated": bool, "pid": int}
        if any(type(value) is not kinds.get(name, str) for name, value in self._values().items()):
            raise damaged_state("a value has the wrong type")
        if self.stage is Stage.NONE:
            return
        is_unfinished = self.stage in {Stage.REQUESTED, Stage.FAILED}
        if not (
            is_uuid(self.server_id)
            and (is_uuid(self.credential_id) or not self.credential_id)
            and (is_operation_id(self.operation_id) or (is_unfinished and not self.operation_id))
            and (is_registry_url(self.registry_url) or not self.registry_url)
            and (is_server_name(self.server_name) or not self.server_name)
        ):
            raise damaged_state("an id or the registry is malformed")
        try:
            normalize_api_url(self.api_url)
        except ValueError:
            raise damaged_state("api_url is not a valid API URL") from None


def damaged_state(reason: str) -> StateError:
    """Return the error for a state that post cannot use."""
    fix = "If the login step logged a server in, run `docker logout` with the registry's address "
    hint = Hint(f"{fix}on the server as the Reoclo runner agent's user.", hints.DAMAGED_STATE)
    return StateError(f"Cannot use the saved login state: {reason}", hint=hint)
