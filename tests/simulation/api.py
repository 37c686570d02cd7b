"""Simulated network, API and server. Response bodies come from fixtures/recordings.

Assumptions about behavior that is not visible outside Reoclo: A request that was sent and lost, or
that gets a 5xx or an invalid response, was processed. A login that was accepted finishes even if
no client polls it. A server runs its logins one after another, in the order in which the API
accepted them, but a logout does not wait for a login that is still running.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from lib.api import faults
from lib.api.transport import Response
from lib.cancellation import Canceled
from lib.deadline import Clock, Deadlines
from lib.errors import TransportError
from tests.fake_api.recording import fill, load
from tests.variables import KEY, VARIABLES

if TYPE_CHECKING:
    from tests.simulation.job import Job

OUTAGE_SECONDS = 60.0
TARGET = {"server_id": VARIABLES["INPUT_SERVER_ID"], "registry_url": "ghcr.io"}


class Fault(NamedTuple):
    """What happens to one request. An outage happens to all that follow as well."""

    status: int = 0
    is_sent: bool = True
    is_processed: bool = True
    is_lost: bool = False
    is_outage: bool = False
    latency: float = 0.05
    retry_after: float | None = None
    body: bytes = b'{"detail":"simulated"}'


# A name with ~ is similar to another fault. Only random schedules combine it with others.
FAULTS = {
    "not sent": Fault(is_sent=False),
    "~connection hangs": Fault(is_sent=False, latency=10.0),
    "~network down": Fault(is_sent=False, is_outage=True),
    "sent and lost": Fault(is_lost=True),
    "response late": Fault(latency=60.0),
    "response slow": Fault(latency=3.0),
    "invalid response": Fault(200, body=b"<!doctype html><title>Sign in</title>"),
    "403": Fault(403, is_processed=False),
    "429": Fault(429, is_processed=False, retry_after=2.0),
    "503 processed": Fault(503),
    "503 not processed": Fault(503, is_processed=False, retry_after=1.0),
    "~API down": Fault(503, is_outage=True),
    "poll 404": Fault(404, is_processed=False),
    "poll of another operation": Fault(200, body=b'{"operation_id":"x","exit_code":0}'),
}


class Outcome(NamedTuple):
    """How an operation ends: seconds until it ends, and until it changes the server."""

    recording: str
    ends: float = 0.2  # 0: the response to the POST is the recording's, too
    changes: float | None = 0.2


OUTCOMES = {
    "login": {
        "succeeds": Outcome("ghcr"),
        "succeeds after 8 s": Outcome("ghcr", 8.0, 8.0),
        "succeeds after 40 s": Outcome("ghcr", 40.0, 40.0),
        "never ends": Outcome("ghcr", math.inf, math.inf),
        "fails": Outcome("refused-by-registry", 0.2, None),
        "fails after 8 s": Outcome("refused-by-registry", 8.0, None),
        "times out on the server": Outcome("server-timeout", 5.0, None),
        "times out on the server, then succeeds": Outcome("server-timeout", 5.0, 12.0),
        "ends without a result": Outcome("no-result"),
        "is canceled on the server": Outcome("poll-cancelled", 0.2, None),
        "response is completed": Outcome("login-inline", 0.0, 0.0),
        "response has an exit code": Outcome("login-inline-exit-code", 0.0, 0.0),
        "response is failed": Outcome("login-inline-failed", 0.0, None),
        "response has no registry_url": Outcome("login-registry-url-missing", 0.0, 0.0),
        "response has no operation_id": Outcome("login-operation-id-missing", 0.0, 0.0),
        "poll has completed_at only": Outcome("poll-ended-by-completed-at"),
    },
    "logout": {
        "succeeds": Outcome("ghcr"),
        "succeeds after 8 s": Outcome("ghcr", 8.0, 8.0),
        "never ends": Outcome("ghcr", math.inf, None),
        "does not erase": Outcome("logout-not-erased", 0.2, None),
        "was not logged in": Outcome("logout-not-logged-in"),
        "ends without a result": Outcome("logout-no-result"),
        "cannot be polled": Outcome("logout-operation-404"),
        "response is completed": Outcome("logout-completed", 0.0, 0.0),
    },
}


class Operation(NamedTuple):
    """Operation that the API accepted."""

    id: str
    kind: str
    recording: str
    ends_at: float
    changes_at: float | None


@dataclass(slots=True)
class Attempt:
    """One request. `known` is what the actor knows about it or, from a response, its operation."""

    actor: str
    kind: str
    fault: Fault
    started_at: float
    ended_at: float = math.inf
    known: str = "pending"  # or "unknown", "not processed", or what `_meaning` returns


class Network:
    """Stands in for `lib.api.transport.Transport`, and for the API and the server behind it."""

    def __init__(self, job: Job, clock: Clock) -> None:
        self._job, self._clock = job, clock

    def send(self, method: str, path: str, body: Any, *, deadlines: Deadlines) -> Response:
        """Send a request to the simulated API."""
        job = self._job
        if KEY in f"{method} {path} {body}":
            job.problems.append("the key is in a path or a body")
        if path.endswith("/logout") and not TARGET.items() <= body.items():
            job.problems.append("the logout is for a different server or registry")
        operation = next((each for each in job.operations if path.endswith(each.id)), None)
        kind = f"{operation.kind} poll" if operation else path.rpartition("/")[2].partition("-")[0]
        fault = self._fault(kind)
        attempt = job.start_attempt(kind, fault)
        try:
            return self._exchange(operation, attempt, deadlines)
        except (TransportError, Canceled):
            attempt.known = "unknown" if fault.is_sent else "not processed"
            raise
        finally:
            attempt.ended_at = job.now

    def _fault(self, kind: str) -> Fault:
        job = self._job
        if job.now < job.outage_ends_at:
            job.point(f"{kind} request")
            return job.outage
        other = "503 not" if kind.endswith("poll") else "poll"
        happens = job.point(f"{kind} request", tuple(name for name in FAULTS if other not in name))
        fault = FAULTS.get(happens, Fault())
        if fault.is_outage:
            job.outage, job.outage_ends_at = fault, job.now + OUTAGE_SECONDS
        return fault

    def _exchange(self, polled: Operation | None, attempt: Attempt, until: Deadlines) -> Response:
        fault = attempt.fault
        status, body, known = fault.status, fault.body, "unknown"
        if fault.is_sent and fault.is_processed:
            real = self._respond(polled or self._accept(attempt.kind), is_poll=bool(polled))
            status, body, known = (status, body, known) if status else real
        self._wait(fault, attempt.kind, until)
        if not fault.is_sent:
            raise faults.classify(ConnectionRefusedError(111, "Connection refused"), sent=False)
        self._job.point(f"{attempt.kind} response")
        if fault.is_lost:
            raise faults.classify(ConnectionResetError(104, "Connection reset"), sent=True)
        self._job.note(f"receives {status} {body.decode()[:200]}")
        attempt.known = "not processed" if 300 <= status < 500 else known
        return Response(status=status, body=body, retry_after=fault.retry_after)

    def _wait(self, fault: Fault, kind: str, until: Deadlines) -> None:
        """Wait for the response, as the real transport does."""
        if fault.latency > 1.0:
            self._job.point(f"{kind} in flight")
        ends_at = self._job.now + fault.latency
        while self._job.now < ends_at:
            self._job.sleep(min(0.1, ends_at - self._job.now))
            try:
                self._clock.raise_if_canceled(request_in_flight=fault.is_sent)
            except Canceled as canceled:
                if fault.is_sent and kind == "login":
                    self._job.problems.append("main abandons its login request")
                raise Canceled(maybe_processed=fault.is_sent) from canceled
            if not all(deadline.remaining() for deadline in until):
                raise faults.timed_out(sent=fault.is_sent)

    def _accept(self, kind: str) -> Operation:
        job, outcomes = self._job, OUTCOMES[kind]
        outcome = outcomes[job.choose(f"outcome of the {kind}", tuple(outcomes))]
        logins = [each for each in job.operations if kind == each.kind == "login"]
        start = max([job.now, *(max(each.ends_at, each.changes_at or 0.0) for each in logins)])
        changes_at = None if outcome.changes is None else start + outcome.changes
        name = f"operation-{len(job.operations) + 1}"
        ends_at = start + outcome.ends
        job.operations.append(Operation(name, kind, outcome.recording, ends_at, changes_at))
        return job.operations[-1]

    def _respond(self, operation: Operation, *, is_poll: bool) -> tuple[int, bytes, str]:
        """Return status and body of the API's response, and what it reports."""
        is_running = self._job.now < operation.ends_at
        if is_running and is_poll:
            status, body = 200, {"operation_id": operation.id, "status": "running"}
        else:
            end = f"<{operation.kind}_operation>" if is_poll else f"/{operation.kind}"
            status, body = _recorded("ghcr" if is_running else operation.recording, end)
            body = fill(body, {f"{operation.kind}_operation": operation.id})
        return status, json.dumps(body).encode(), _meaning(operation, body, is_poll=is_poll)


@cache
def _recorded(recording: str, end: str) -> tuple[int, Any]:
    """Return status and body of the last response to a path with this end."""
    for exchange in load(recording).exchanges:
        if exchange.path.endswith(end):
            return exchange.responses[-1].status or 0, exchange.responses[-1].body
    return _recorded("ghcr", end)


def _meaning(operation: Operation, body: dict[str, Any], *, is_poll: bool) -> str:
    """Return what a response reports. An unknown status with exit code 0 is a success."""
    status = body.get("status")
    if operation.kind == "logout":
        return "done" if status != "running" and operation.changes_at is not None else "not done"
    if not is_poll and not {"operation_id", "registry_url"} <= body.keys():
        return "unknown"
    if status in {"running", "timeout", "cancelled"}:
        return str(status)
    exit_code = (body.get("result") or body).get("exit_code")
    return "ended" if exit_code is None else "failed" if exit_code else "succeeded"
