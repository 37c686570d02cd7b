"""What main leaves for post, and how far the login had come when it did.

The state is one entry, saved anew at each stage: a later entry replaces an earlier one, so
that a kill at any moment leaves a whole one. Post trusts nothing in it unchecked: an earlier
step of the job may have written an entry of the same name.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import Enum

from lib import advice
from lib.errors import InputError, StateError
from lib.inputs import check_api_url, is_uuid
from lib.models import is_operation_id, is_registry_url

VERSION = 1


class Stage(str, Enum):
    """How far the login came."""

    REQUESTED = "requested"
    ACCEPTED = "accepted"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginState:
    """A login, as post must know it.

    `operation_id` and `registry_url` may be empty until the stage ACCEPTED. `is_repeated` is
    as in `AcceptedLogin`: how that operation ends does not tell all then. `api_key` is empty
    except inside a composite action, where runners give post the wrong inputs
    (actions/runner#2030).
    """

    stage: Stage
    server_id: str
    credential_id: str
    api_url: str
    cleanup: bool
    operation_id: str = ""
    registry_url: str = ""
    is_repeated: bool = False
    api_key: str = field(default="", repr=False)

    def encode(self) -> str:
        """Write the state as one line of ASCII."""
        return json.dumps({"version": VERSION, **asdict(self)}, separators=(",", ":"))

    @classmethod
    def decode(cls, text: str) -> LoginState:
        """Read what `encode` wrote.

        Raises:
            StateError: it is damaged, of another version, or not ours.
        """
        try:
            data = json.loads(text)
            if data.pop("version") != VERSION:
                raise _unusable("another version of this action wrote it")
            state = cls(**{**data, "stage": Stage(data["stage"])})
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise _unusable("it is damaged, or another program wrote it") from None
        state._check()
        return state

    def _check(self) -> None:
        """Raise unless each value is of its kind, and looks like what it stands for."""
        if not all(isinstance(value, _kind(name)) for name, value in asdict(self).items()):
            raise _unusable("a value in it is of the wrong kind")
        unknown = {""} if self.stage in {Stage.REQUESTED, Stage.FAILED} else set()
        is_good = (
            is_uuid(self.server_id)
            and (is_uuid(self.credential_id) or not self.credential_id)  # none in passthrough
            and (is_operation_id(self.operation_id) or self.operation_id in unknown)
            and (is_registry_url(self.registry_url) or self.registry_url in unknown)
        )
        if not is_good:
            raise _unusable("an id in it or its registry is malformed")
        try:
            check_api_url(self.api_url)
        except InputError:
            raise _unusable("its api_url is not one the key may be sent to") from None


def _kind(name: str) -> type:
    return bool if name in {"cleanup", "is_repeated"} else str


def _unusable(why: str) -> StateError:
    return StateError(
        f"The state that the login step saved cannot be used: {why}",
        remedy=f"If that step logged a server in to a registry, {advice.logout_by_hand('')}.",
    )
