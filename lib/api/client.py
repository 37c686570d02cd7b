"""Client for the Reoclo automation API."""

from collections.abc import Callable
from dataclasses import KW_ONLY, asdict, dataclass, replace
from typing import Protocol, TypeVar

from lib import hints
from lib.api import models, retry
from lib.api.models import AcceptedLogin, Endpoint, Json, LoginRequest, LogoutRequest, Operation
from lib.api.transport import Response
from lib.deadline import Clock, Deadline, Deadlines
from lib.errors import RETRYABLE_STATUSES, ApiError, InvalidResponse, OperationTimeout, StatusError
from lib.formats import BASE_PATH
from lib.run_context import RunContext

T = TypeVar("T")

LOGIN_ATTEMPT_SECONDS = 30.0
SHORTEST_ATTEMPT_SECONDS, LONGEST_ATTEMPT_SECONDS = 5.0, 30.0
VISIBILITY_SECONDS = 5.0  # how long the API's other servers may not know a new operation


class Sender(Protocol):
    """`lib.api.transport.Transport`, or a simulation of it."""

    def send(self, method: str, path: str, body: Json | None, *, deadlines: Deadlines) -> Response:
        """Send one request and return the whole response."""


@dataclass(frozen=True, slots=True)
class Client:
    """Client for the Reoclo automation API. Each method can raise `Canceled` at a checkpoint."""

    transport: Sender
    run_context: RunContext  # included in every login and logout request
    clock: Clock
    _: KW_ONLY
    info: Callable[[str], None]  # writes a log line about each retry
    debug: Callable[[str], None]  # writes a debug line about each request

    def log_in(self, request: LoginRequest, deadline: Deadline) -> AcceptedLogin:
        """Request a login, or raise an `ApiError` whose `maybe_processed` covers all attempts."""

        def attempt() -> AcceptedLogin:
            # A second login request is a second login, so this one may take long.
            limit = Deadline(self.clock, LOGIN_ATTEMPT_SECONDS)
            response = self._exchange(request.endpoint, asdict(request), (limit, deadline))
            return AcceptedLogin.from_json(response.json())

        accepted, maybe_repeated = self._retry(attempt, retry.CHANGE, deadline)
        return replace(accepted, maybe_repeated=maybe_repeated)

    def log_out(self, request: LogoutRequest, deadline: Deadline) -> Operation:
        """Request a logout, and return its operation; an empty one if the response names none."""

        def attempt() -> Operation:
            response = self._exchange(request.endpoint, asdict(request), self._limits(deadline))
            return models.parse_logout(response.json())

        operation, _ = self._retry(attempt, retry.CHANGE, deadline)
        return operation

    def wait_for(
        self,
        operation_id: str,
        deadline: Deadline,
        *,
        purpose: str,
        first_seconds: float = retry.FIRST_POLL_SECONDS,
    ) -> Operation:
        """Poll an operation until it ends; for the first time after `first_seconds`.

        Raises an `OperationTimeout` if it did not end in time, and an `ApiError` if a request
        failed permanently. The messages name the `purpose`: "login" or "logout".
        """
        last: Operation | None = None
        visible = Deadline(self.clock, VISIBILITY_SECONDS)
        try:
            for _ in retry.polls(deadline, self.clock, first_seconds):
                last = self._fetch(operation_id, deadline, visible)
                if last.ended:
                    return last
                visible.shorten(0.0)  # now the API knows the operation
        except ApiError as error:
            is_gone = error.status == 404 and last
            if is_gone or (error.retryable and not isinstance(error, InvalidResponse)):
                raise _timed_out(operation_id, purpose, deadline, last, error) from error
            raise replace(error, operation_id=operation_id) from error
        raise _timed_out(operation_id, purpose, deadline, last)

    def _fetch(self, operation_id: str, deadline: Deadline, visible: Deadline) -> Operation:
        endpoint = models.operation_endpoint(operation_id)

        def attempt() -> Operation:
            try:
                response = self._exchange(endpoint, None, self._limits(deadline))
                operation = Operation.from_json(response.json())
            except InvalidResponse as error:
                raise replace(error, retryable=True) from error
            except StatusError as error:
                is_early = error.status == 404 and visible.remaining() > 0
                raise replace(error, retryable=error.retryable or is_early) from error
            if operation.operation_id not in {"", operation_id}:
                reason = "the response is for a different operation"
                raise models.invalid_response(reason, retryable=True)
            return operation

        operation, _ = self._retry(attempt, retry.POLL, deadline)
        return operation

    def _retry(
        self, attempt: Callable[[], T], policy: retry.RetryPolicy, deadline: Deadline
    ) -> tuple[T, bool]:
        def log(error: ApiError, seconds: float, number: int) -> None:
            why = ""
            if error.retry_after:
                why = ", as the API requested"
            elif policy.attempts is not None and not error.is_throttled:
                why = f" (attempt {number} of {policy.attempts})"
            self.info(f"{error.summary}. Retrying in {seconds:.1f} s{why}.")

        return retry.call_with_retries(
            attempt, policy=policy, deadline=deadline, clock=self.clock, on_retry=log
        )

    def _exchange(self, endpoint: Endpoint, fields: Json | None, deadlines: Deadlines) -> Response:
        """Pass a checkpoint, send one request, and return its response if the status is 2xx."""
        self.clock.raise_if_canceled()
        body = None if fields is None else {**fields, **self.run_context.body()}
        path = BASE_PATH + endpoint.path
        response = self.transport.send(endpoint.method, path, body, deadlines=deadlines)
        self.debug(f"{endpoint.method} {endpoint.path}: {response.status}")
        if not 200 <= response.status < 300:
            raise _status_error(response, endpoint)
        return response

    def _limits(self, deadline: Deadline) -> Deadlines:
        """Return the limits of an attempt, so that one that hangs leaves time for another."""
        share = max(deadline.remaining() / 3, SHORTEST_ATTEMPT_SECONDS)
        return Deadline(self.clock, min(share, LONGEST_ATTEMPT_SECONDS)), deadline


def _status_error(response: Response, endpoint: Endpoint) -> StatusError:
    status, detail = response.status, _detail(response)
    summary, hint = hints.for_status(status, **endpoint._asdict())
    if status == 403 and detail is None:
        summary, hint = hints.BLOCKED, hints.FIREWALL
        detail = f"CF-Ray {response.ray}" if response.ray else ""
    return StatusError(
        summary,
        detail=detail or "",
        hint=hint,
        status=status,
        retry_after=response.retry_after,
        retryable=status in RETRYABLE_STATUSES,
        maybe_processed=status >= 500,
    )


def _detail(response: Response) -> str | None:
    """Return the API's own text, FastAPI's `detail`, or None if the response is not the API's."""
    try:
        body = response.json()
    except InvalidResponse:
        return None
    if not isinstance(body, dict) or "detail" not in body:
        return None
    detail = body["detail"]
    if isinstance(detail, list):
        return "; ".join(_field_error(entry) for entry in detail[:5])
    if isinstance(detail, dict):
        detail = detail.get("message", detail.get("msg"))
    return detail if isinstance(detail, str) else ""


def _field_error(entry: object) -> str:
    if not isinstance(entry, dict):
        return entry if isinstance(entry, str) else "invalid"
    location, message = entry.get("loc"), entry.get("msg")
    parts = location if isinstance(location, list) else []
    name = ".".join(str(part) for part in parts if part != "body") or "request"
    return f"{name}: {message if isinstance(message, str) else 'invalid'}"


def _timed_out(
    operation_id: str,
    purpose: str,
    deadline: Deadline,
    last: Operation | None,
    fault: ApiError | None = None,
) -> OperationTimeout:
    """Return the error for an operation that was last seen running, or not at all."""
    summary = f"Timed out after {deadline.limit:.0f} s waiting for the {purpose}"
    detail, hint, status = "", hints.TIMEOUT, last.status if last else ""
    if fault:
        summary = f"Stopped waiting for the {purpose} after {deadline.elapsed():.0f} s"
        detail, hint = fault.summary, fault.hint
    summary += f" (last status: {status or 'unknown'})"
    return OperationTimeout(summary, detail=detail, hint=hint, operation_id=operation_id)
