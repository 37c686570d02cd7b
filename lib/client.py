"""The calls of the Reoclo automation API: values in, values or errors out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

from lib import advice, retry
from lib.clock import Clock, Deadline
from lib.errors import ApiError, OperationUnfinished, ProtocolError, Refusal
from lib.models import (
    AcceptedLogin,
    AcceptedLogout,
    LoginRequest,
    LogoutRequest,
    Operation,
    Run,
    VaultLogin,
)
from lib.text import quote
from lib.transport import Answer, Transport

T = TypeVar("T")

_BASE_PATH = "/api/automation/v1"


class _Call(NamedTuple):
    """A request, what the key must allow for it, and how often to try it."""

    method: str
    path: str
    needs: str
    inputs: str
    body: dict[str, Any] | None = None
    attempts: int | None = retry.ATTEMPTS


class Client:
    """Speaks with the API for one run of a workflow.

    Args:
        transport: Sends the requests.
        run: Named in every request that changes something.
        clock: What waits are slept on.
        info: Told of each request that is sent again.
        debug: Told of each request and its answer's status.
    """

    def __init__(
        self,
        transport: Transport,
        run: Run,
        clock: Clock,
        *,
        info: Callable[[str], None],
        debug: Callable[[str], None],
    ) -> None:
        self._transport = transport
        self._run = run
        self._clock = clock
        self._info = info
        self._debug = debug

    def log_in(self, request: LoginRequest, deadline: Deadline) -> AcceptedLogin:
        """Ask for a login.

        Raises:
            ApiError: the API did not take it on, as far as it can be known.
        """
        call = _login_call(request, {**request.body(), **self._run.body()})
        outcome = self._send(call, AcceptedLogin.from_json, deadline)
        return replace(outcome.answer, is_repeated=outcome.lost)

    def log_out(self, request: LogoutRequest, deadline: Deadline) -> AcceptedLogout | None:
        """Ask for a logout.

        Returns:
            The operation that does it, or None where the API names none (204).

        Raises:
            ApiError: the API did not take it on, as far as it can be known.
        """
        body = {**request.body(), **self._run.body()}
        needs = "this server and the operation registry_logout"
        call = _Call("POST", "/registry-auth/logout", needs, "server_id", body)
        return self._send(call, AcceptedLogout.from_json_or_nothing, deadline).answer

    def follow(self, operation_id: str, deadline: Deadline) -> Operation:
        """Wait for an operation to end.

        Raises:
            OperationUnfinished: it had not ended by the deadline.
            ApiError: the API will not tell how it goes on.
        """
        last: list[Operation] = []

        def ask() -> Operation:
            last.append(self._operation(operation_id, deadline))
            return last[-1]

        try:
            operation = retry.poll(
                ask, until=lambda found: found.ended, deadline=deadline, clock=self._clock
            )
        except ApiError as error:
            error.operation_id = operation_id
            if not error.transient or isinstance(error, ProtocolError):
                raise
            # A passing fault is only given up on when there is no time for another try.
            raise _unfinished(operation_id, deadline, last, error) from error
        if not operation.ended:
            raise _unfinished(operation_id, deadline, last)
        return operation

    def _operation(self, operation_id: str, deadline: Deadline) -> Operation:
        needs = "this server and the operation registry_login (or registry_logout)"
        path = f"/operations/{operation_id}"
        call = _Call("GET", path, needs, "server_id", attempts=None)
        return self._send(call, Operation.from_json, deadline).answer

    def _send(
        self, call: _Call, read: Callable[[object], T], deadline: Deadline
    ) -> retry.Outcome[T]:
        """Send a request, again if need be, and read its answer if it is one of success."""

        def attempt() -> T:
            answer = self._transport.send(call.method, _BASE_PATH + call.path, deadline, call.body)
            self._debug(f"{call.method} {call.path}: {answer.status}")
            if not 200 <= answer.status < 300:
                raise _refusal(answer, call)
            try:
                return read("" if answer.is_empty else answer.content)
            except ProtocolError as error:
                error.transient = call.attempts is None  # the next poll may well be answered
                raise

        return retry.retry(
            attempt,
            deadline=deadline,
            attempts=call.attempts,
            clock=self._clock,
            on_retry=self._tell_retry,
        )

    def _tell_retry(self, error: ApiError, seconds: float) -> None:
        self._info(f"{error.what}. Trying again in {seconds:.1f} s.")


def _login_call(request: LoginRequest, body: dict[str, Any]) -> _Call:
    if isinstance(request, VaultLogin):
        path, inputs = "/registry-auth/login", "server_id and credential_id"
        needs = "this server, this credential and the operation registry_login"
    else:
        path, inputs = "/registry-auth/login-direct", "server_id"
        needs = "this server, registry passthrough and the operation registry_login"
    return _Call("POST", path, needs, inputs, body)


def _refusal(answer: Answer, call: _Call) -> Refusal:
    """Turn an answer of failure into an error with the API's words and our advice."""
    meaning, remedy = advice.on_status(answer.status)
    asked = f", and asks to wait {answer.retry_after:.0f} s" if answer.retry_after else ""
    return Refusal(
        f"The Reoclo API {meaning} ({answer.status}){asked}",
        status=answer.status,
        said=_detail(answer),
        remedy=remedy.format(needs=call.needs, inputs=call.inputs),
        retry_after=answer.retry_after,
    )


def _detail(answer: Answer) -> str:
    """Give the API's own words, if these are the API's: FastAPI's `detail`, text or list."""
    body = answer.content
    detail = body.get("detail") if isinstance(body, dict) else None
    if isinstance(detail, str):
        return quote(detail)
    if isinstance(detail, list):
        return quote("; ".join(_field_error(entry) for entry in detail[:5]))
    return ""


def _field_error(entry: object) -> str:
    if not isinstance(entry, dict):
        return entry if isinstance(entry, str) else "not accepted"
    location, message = entry.get("loc"), entry.get("msg")
    parts = location if isinstance(location, list) else []
    field = ".".join(str(part) for part in parts if part != "body") or "request"
    return f"{field}: {message if isinstance(message, str) else 'not accepted'}"


def _unfinished(
    operation_id: str, deadline: Deadline, last: list[Operation], fault: ApiError | None = None
) -> OperationUnfinished:
    status = (
        f"its last status was {quote(last[-1].status, 40)}" if last else "its status is unknown"
    )
    return OperationUnfinished(
        f"The operation has not ended after {deadline.elapsed():.0f} s; {status}",
        said=fault.what if fault else "",
        remedy=fault.remedy if fault else advice.UNFINISHED,
        operation_id=operation_id,
    )
