"""What goes to the API and what comes from it, as values.

The shapes are those of the public clients of the API (reoclo/docker-auth v1, reoclo/cli).
Nothing of an answer is used before it has been checked here: an operation's id becomes
part of a URL, a registry's address becomes an output of the step.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, ClassVar

from lib.errors import ProtocolError

# Wide enough for every id and address in use; without anything that a URL path, a shell
# or a runner's `${{ }}` could take for more than text.
_OPERATION_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_REGISTRY_URL = re.compile(r"[A-Za-z0-9\[][A-Za-z0-9.:/_\[\]~-]{0,511}")
_REGISTRY_TYPE = re.compile(r"[A-Za-z0-9_-]{1,64}")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Which run of which workflow acts: the API's audit log keeps it with each operation.

    `sha`, `ref` and `run_id` are empty where they are not known.
    """

    provider: str
    repository: str
    workflow: str
    trigger: str
    actor: str
    sha: str
    ref: str
    run_id: str

    def body(self) -> Json:
        """Give the fields that every request to change something carries."""
        context = {
            "provider": self.provider,
            "repository": self.repository,
            "workflow": self.workflow,
            "trigger": self.trigger,
            "actor": self.actor,
        }
        known = {"sha": self.sha, "ref": self.ref}
        context.update({name: value for name, value in known.items() if value})
        return {**({"run_id": self.run_id} if self.run_id else {}), "run_context": context}


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultLogin:
    """A wish to log a server in with a credential that is stored in Reoclo.

    Only the API knows its registry.
    """

    server_id: str
    credential_id: str
    registry_url: ClassVar[str] = ""
    # Where user name, password and registry can be corrected.
    source: ClassVar[str] = "the credential in Reoclo"

    def __str__(self) -> str:
        """Tell it to the user."""
        return f"server {self.server_id} in with the registry credential {self.credential_id}"

    def body(self) -> Json:
        """Give the request's own fields."""
        return {"server_id": self.server_id, "credential_id": self.credential_id}


@dataclass(frozen=True, slots=True, kw_only=True)
class PassthroughLogin:
    """A wish to log a server in with a credential that the workflow hands through."""

    server_id: str
    registry_url: str
    username: str
    access_token: str = field(repr=False)
    credential_id: ClassVar[str] = ""
    source: ClassVar[str] = "the inputs username, access_token and registry_url"

    def __str__(self) -> str:
        """Tell it to the user."""
        return f"server {self.server_id} in to {self.registry_url} with the workflow's own token"

    def body(self) -> Json:
        """Give the request's own fields."""
        return {
            "server_id": self.server_id,
            "registry_url": self.registry_url,
            "username": self.username,
            "access_token": self.access_token,
        }


LoginRequest = VaultLogin | PassthroughLogin


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutRequest:
    """A wish to log a server out of a registry."""

    server_id: str
    registry_url: str

    def body(self) -> Json:
        """Give the request's own fields."""
        return {"server_id": self.server_id, "registry_url": self.registry_url}


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedLogin:
    """The API has taken a login on; the server will now do it.

    `is_repeated` tells whether an earlier try of the request, whose answer was lost, may have
    begun an operation of its own.
    """

    operation_id: str
    registry_url: str
    registry_type: str
    is_repeated: bool = False

    @classmethod
    def from_json(cls, data: object) -> AcceptedLogin:
        """Read the API's answer to a login.

        Raises:
            ProtocolError: a field is missing or is not what it should be.
        """
        answer = _object(data)
        return cls(
            operation_id=_matching(answer, "operation_id", _OPERATION_ID),
            registry_url=_matching(answer, "registry_url", _REGISTRY_URL),
            registry_type=_matching(answer, "registry_type", _REGISTRY_TYPE),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedLogout:
    """The API has taken a logout on."""

    operation_id: str

    @classmethod
    def from_json(cls, data: object) -> AcceptedLogout:
        """Read the API's answer to a logout.

        Raises:
            ProtocolError: a field is missing or is not what it should be.
        """
        answer = _object(data)
        return cls(operation_id=_matching(answer, "operation_id", _OPERATION_ID))

    @classmethod
    def from_json_or_nothing(cls, data: object) -> AcceptedLogout | None:
        """Read the API's answer to a logout, which may be empty (204): then it is done.

        Raises:
            ProtocolError: as `from_json` does.
        """
        return None if data == "" else cls.from_json(data)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationResult:
    """What the command on the server left behind."""

    exit_code: int | None
    stdout: str
    stderr: str

    @classmethod
    def from_json(cls, data: object) -> OperationResult:
        """Read the `result` of an operation.

        Raises:
            ProtocolError: a field is not what it should be.
        """
        answer = _object(data)
        exit_code = answer.get("exit_code")
        # A bool is an int to Python, but not an exit code to anybody; Windows has 32 bits of them.
        if exit_code is not None and (type(exit_code) is not int or abs(exit_code) >= 2**32):
            raise ProtocolError("exit_code to be a whole number of 32 bits")
        return cls(
            exit_code=exit_code,
            stdout=_text(answer, "stdout", default=""),
            stderr=_text(answer, "stderr", default=""),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """How far an operation on a server has come."""

    operation_id: str
    status: str
    server_name: str
    result: OperationResult | None

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen. A status not known yet means that it still may."""
        return self.status in {"completed", "failed", "timeout"}

    @property
    def succeeded(self) -> bool:
        """Whether the command ran to its end and said that all is well."""
        return self.status == "completed" and self.result is not None and self.result.exit_code == 0

    @property
    def failed(self) -> bool:
        """Whether it is certain that the command did not do its work.

        Neither a timeout on the server nor an end without an exit code makes that certain.
        """
        exit_code = self.result.exit_code if self.result else None
        return self.status in {"completed", "failed"} and bool(exit_code)

    @classmethod
    def from_json(cls, data: object) -> Operation:
        """Read the API's answer about an operation.

        Raises:
            ProtocolError: a field is missing or is not what it should be.
        """
        answer = _object(data)
        result = answer.get("result")
        return cls(
            operation_id=_matching(answer, "operation_id", _OPERATION_ID),
            status=_text(answer, "status"),
            server_name=_text(answer, "server_name", default=""),
            result=None if result is None else OperationResult.from_json(result),
        )


def is_operation_id(text: str) -> bool:
    """Tell whether a text may stand for an operation in a URL."""
    return _OPERATION_ID.fullmatch(text) is not None


def is_registry_url(text: str) -> bool:
    """Tell whether a text may stand for a registry."""
    return _REGISTRY_URL.fullmatch(text) is not None


def _object(data: object) -> Json:
    if not isinstance(data, dict):
        raise ProtocolError("a JSON object")
    return data


def _text(answer: Json, name: str, *, default: str | None = None) -> str:
    value = answer.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise ProtocolError(f"{name} to be a text")
    return value


def _matching(answer: Json, name: str, pattern: re.Pattern[str]) -> str:
    value = _text(answer, name)
    if pattern.fullmatch(value) is None:
        raise ProtocolError(f"{name} to look like one")
    return value
