"""Endpoints, requests and responses of the API.

The shapes are those of the API's public clients (reoclo/docker-auth v1, reoclo/cli). Not every
response is documented, so what the action does not need is optional. The rest is validated here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from lib import formats, hints
from lib.errors import InvalidResponse

Json = dict[str, Any]

# The statuses that end an operation, as far as they are known.
_INTERRUPTED = frozenset({"timeout", "cancelled", "canceled"})
_UNSUCCESSFUL = _INTERRUPTED | {"failed", "error"}
_TERMINAL = _UNSUCCESSFUL | {"completed"}
_THIS_SERVER = "Allowed Servers includes this server"


class Endpoint(NamedTuple):
    """Endpoint of the API. A request's fields are its body, apart from the run context."""

    method: str
    path: str
    requires: str  # what the key must be allowed to do
    ids: str = "server_id"  # the inputs whose values are sent
    not_found: str = "Server not found"  # the summary of a 404


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultLogin:
    """Login request that uses a credential stored in Reoclo. Only the API knows its registry."""

    server_id: str
    credential_id: str
    registry_url: ClassVar[str] = ""
    credential: ClassVar[str] = "the credential in Reoclo"
    endpoint: ClassVar = Endpoint(
        "POST",
        "/registry-auth/login",
        f"{_THIS_SERVER}, Allowed Credentials includes this credential, and Allowed Operations "
        "includes registry_login",
        ids="server_id and credential_id",
        not_found="Server or credential not found",
    )

    @property
    def description(self) -> str:
        """The request for the log."""
        return f"server {self.server_id} with registry credential {self.credential_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PassthroughLogin:
    """Login request that includes the credential."""

    server_id: str
    registry_url: str
    username: str
    access_token: str = field(repr=False)
    credential_id: ClassVar[str] = ""
    credential: ClassVar[str] = "the inputs username, access_token, and registry_url"
    endpoint: ClassVar = Endpoint(
        "POST",
        "/registry-auth/login-direct",
        f"{_THIS_SERVER}, Allowed Operations includes registry_login, and registry passthrough "
        "(allow_registry_passthrough) is enabled",
    )

    @property
    def description(self) -> str:
        """The request for the log."""
        return f"server {self.server_id} to {self.registry_url} with the access_token input"


LoginRequest = VaultLogin | PassthroughLogin


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutRequest:
    """Logout request."""

    server_id: str
    registry_url: str
    _requires = f"{_THIS_SERVER} and Allowed Operations includes registry_logout"
    endpoint: ClassVar = Endpoint("POST", "/registry-auth/logout", _requires)


def operation_endpoint(operation_id: str) -> Endpoint:
    """Return the endpoint that reports an operation's status."""
    path, operations = f"/operations/{operation_id}", "registry_login and registry_logout"
    requires = f"{_THIS_SERVER} and Allowed Operations includes {operations}"
    return Endpoint("GET", path, requires, not_found="Operation not found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """Operation on a server, as far as a response describes it. Every field may be empty."""

    operation_id: str = ""
    status: str = ""
    server_name: str = ""
    exit_code: int | None = None
    stdout: str = field(default="", repr=False)
    stderr: str = field(default="", repr=False)
    has_end: bool = False  # whether the response has an end time or an exit code

    @property
    def ended(self) -> bool:
        """Whether the operation will not change anymore. An unknown status does not end it."""
        return self.has_end or self.status in _TERMINAL

    @property
    def succeeded(self) -> bool:
        """Whether the command provably exited with 0, and no status contradicts that."""
        return self.exit_code == 0 and self.status not in _UNSUCCESSFUL

    @property
    def failed(self) -> bool:
        """Whether the command provably failed. After a signal or an interruption, nothing is."""
        return 0 < (self.exit_code or 0) <= 128 and self.status not in _INTERRUPTED

    @property
    def reports_failure(self) -> bool:
        """Whether the response reports an end other than success."""
        return bool(self.exit_code) or self.status in _UNSUCCESSFUL

    @property
    def output(self) -> str:
        """Docker's output: stderr, where it reports errors, or else stdout."""
        return self.stderr or self.stdout

    @classmethod
    def from_json(cls, data: object) -> "Operation":
        """Parse a response that describes an operation, or raise `InvalidResponse`."""
        response = _object(data)
        result = response.get("result")
        fields = result if isinstance(result, dict) else {}
        exit_code = _exit_code(fields.get("exit_code", response.get("exit_code")))
        return cls(
            operation_id=_valid(response, "operation_id", formats.is_operation_id),
            status=_valid(response, "status", formats.is_status),
            server_name=_valid(response, "server_name", formats.is_server_name),
            exit_code=exit_code,
            stdout=_text(fields, "stdout"),
            stderr=_text(fields, "stderr"),
            has_end=bool(response.get("completed_at")) or exit_code is not None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedLogin:
    """Response to a login request. Texts are empty if missing or unsafe."""

    operation_id: str
    registry_url: str
    registry_type: str
    operation: Operation | None = None  # if it ended before the response
    # Whether an earlier attempt, whose response was lost, may have started another operation.
    maybe_repeated: bool = False

    @classmethod
    def from_json(cls, data: object) -> "AcceptedLogin":
        """Parse the response to a login request, or raise `InvalidResponse`."""
        response = _object(data)
        operation = Operation.from_json(response)
        has_result = operation.exit_code is not None or isinstance(response.get("result"), dict)
        return cls(
            operation_id=operation.operation_id,
            registry_url=_valid(response, "registry_url", formats.is_registry_url),
            registry_type=_valid(response, "registry_type", formats.is_registry_type),
            operation=operation if operation.ended and has_result else None,
        )


def parse_logout(data: object) -> Operation:
    """Parse the response to a logout request: any JSON, or None for an empty body."""
    return Operation.from_json(data) if isinstance(data, dict) else Operation()


def _object(data: object) -> Json:
    if not isinstance(data, dict):
        raise invalid_response("expected a JSON object")
    return data


def _text(response: Json, name: str) -> str:
    value = response.get(name)
    return value if isinstance(value, str) else ""


def _valid(response: Json, name: str, is_valid: Callable[[str], bool]) -> str:
    value = _text(response, name)
    return value if is_valid(value) else ""


def _exit_code(value: object) -> int | None:
    # A bool is an int to Python, but not an exit code. Windows has 32-bit exit codes.
    return value if type(value) is int and abs(value) < 2**32 else None


def invalid_response(reason: str, *, retryable: bool = False) -> InvalidResponse:
    """Return the error for a 2xx response that is not the API's."""
    summary = f"Unexpected response from the Reoclo API: {reason}"
    return InvalidResponse(summary, hint=hints.UNEXPECTED_RESPONSE, retryable=retryable)
