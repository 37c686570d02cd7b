"""Simulated network, API and server. Response bodies come from fixtures/recordings."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lib.api import faults
from lib.api.transport import Response
from lib.cancellation import Canceled
from lib.deadline import Clock, Deadlines
from lib.errors import TransportError

if TYPE_CHECKING:
    from tests.simulation.job import Job

KEY = "rca_simulated-key-of-this-job"
OUTAGE_SECONDS = 60.0


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


_OTHER = b'{"operation_id":"another","status":"completed","result":{"exit_code":0}}'
# What begins with ~ is much like another one, and combined with others at random only.
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
    "poll of another operation": Fault(200, body=_OTHER),
}


class Outcome(NamedTuple):
    """What becomes of an operation, in seconds: when it ends, and when it changes the server."""

    recording: str
    ends: float = 0.2
    changes: float | None = 0.2
    is_reported: bool = True


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
        "response has no registry_url": Outcome("login-registry-url-missing"),
        "response has no operation_id": Outcome("no operation_id"),
        "poll has completed_at only": Outcome("poll-ended-by-completed-at"),
    },
    "logout": {
        "succeeds": Outcome("ghcr"),
        "succeeds after 8 s": Outcome("ghcr", 8.0, 8.0),
        "never ends": Outcome("ghcr", math.inf, None, is_reported=False),
        "does not erase": Outcome("logout-not-erased", 0.2, None, is_reported=False),
        "was not logged in": Outcome("logout-not-logged-in"),
        "ends without a result": Outcome("logout-no-result"),
        "cannot be polled": Outcome("logout-operation-404"),
        "response is completed": Outcome("logout-completed", 0.0, 0.0),
    },
}


@dataclass(slots=True)
class Operation:
    """Operation that the API accepted."""

    id: str
    kind: str
    outcome: Outcome
    ends_at: float
    changes_at: float | None


@dataclass(slots=True)
class Attempt:
    """One request. `verdict` is what its sender knows of it."""

    actor: str
    kind: str
    started_at: float
    ended_at: float = math.inf
    verdict: str = "pending"
    is_throttled: bool = False


class Network:
    """Stands in for `lib.api.transport.Transport`, and for the API and the server behind it."""

    def __init__(self, job: Job, clock: Clock) -> None:
        self._job, self._clock = job, clock

    def send(self, method: str, path: str, body: Any, *, deadlines: Deadlines) -> Response:
        """Send a request to the simulated API."""
        job = self._job
        job.check(KEY not in f"{method} {path} {body}", "the key is in a path or a body")
        operation = next((each for each in job.operations if path.endswith(each.id)), None)
        kind = f"{operation.kind} poll" if operation else path.rpartition("/")[2].partition("-")[0]
        self._clock.raise_if_canceled()
        fault = self._fault(kind)
        attempt = Attempt(job.current.name, kind, job.now)
        job.start_attempt(attempt)
        try:
            return self._exchange(operation, fault, attempt, deadlines)
        except TransportError as error:
            attempt.verdict = "unknown" if error.maybe_processed else "not processed"
            raise
        finally:
            attempt.ended_at = job.now

    def _fault(self, kind: str) -> Fault:
        job = self._job
        if job.outage and job.now < job.outage[0]:
            job.point(f"{kind} request")
            return job.outage[1]
        other = "503 not" if kind.endswith("poll") else "poll"
        happens = job.point(f"{kind} request", tuple(name for name in FAULTS if other not in name))
        fault = FAULTS.get(happens, Fault())
        if fault.is_outage:
            job.outage = (job.now + OUTAGE_SECONDS, fault)
        return fault

    def _exchange(
        self, operation: Operation | None, fault: Fault, attempt: Attempt, deadlines: Deadlines
    ) -> Response:
        status, body = fault.status, fault.body
        if fault.is_sent and fault.is_processed:
            operation = operation or self._accept(attempt.kind)
            real = self._report(operation, is_poll=attempt.kind.endswith("poll"))
            status, body = (status, body) if status else real
        self._wait(fault, attempt, deadlines)
        if not fault.is_sent:
            raise faults.classify(ConnectionRefusedError(111, "Connection refused"), sent=False)
        self._job.point(f"{attempt.kind} response")
        if fault.is_lost:
            raise faults.classify(ConnectionResetError(104, "Connection reset"), sent=True)
        attempt.is_throttled = fault.retry_after is not None
        self._job.deliver(attempt, status, body, None if fault.status else operation)
        return Response(status=status, body=body, retry_after=fault.retry_after)

    def _wait(self, fault: Fault, attempt: Attempt, deadlines: Deadlines) -> None:
        """Wait for the response, as the real transport does."""
        left = fault.latency
        if left > 1.0:
            self._job.point(f"{attempt.kind} in flight")
        while left > 0.1:
            self._job.sleep(0.1)
            left -= 0.1
            try:
                self._clock.raise_if_canceled(request_in_flight=fault.is_sent)
            except Canceled as canceled:
                attempt.verdict = "unknown" if fault.is_sent else "not processed"
                is_abandoned = fault.is_sent and attempt.kind == "login"
                self._job.check(not is_abandoned, "main abandons its login request")
                raise Canceled(maybe_processed=fault.is_sent) from canceled
            if not all(deadline.remaining() for deadline in deadlines):
                raise faults.timed_out(sent=fault.is_sent)
        self._job.sleep(left)

    def _accept(self, kind: str) -> Operation:
        job, outcomes = self._job, OUTCOMES[kind]
        outcome = outcomes[job.choose(f"outcome of the {kind}", tuple(outcomes))]
        logins = [each for each in job.operations if kind == each.kind == "login"]
        start = max([job.now, *(max(each.ends_at, each.changes_at or 0.0) for each in logins)])
        changes_at = None if outcome.changes is None else start + outcome.changes
        name = f"operation-{len(job.operations) + 1}"
        job.operations.append(Operation(name, kind, outcome, start + outcome.ends, changes_at))
        return job.operations[-1]

    def _report(self, operation: Operation, *, is_poll: bool) -> tuple[int, bytes]:
        is_running = self._job.now < operation.ends_at
        if is_poll and is_running:
            return 200, json.dumps({"operation_id": operation.id, "status": "running"}).encode()
        end = f"<{operation.kind}_operation>" if is_poll else operation.kind
        waits = is_running and not operation.outcome.ends and not is_poll  # for an earlier login
        name = "ghcr" if waits else operation.outcome.recording
        status, body = RECORDED.get((name, end)) or RECORDED["ghcr", end]
        return status, body.replace(f"<{operation.kind}_operation>", operation.id).encode()


def _recorded() -> dict[tuple[str, str], tuple[int, str]]:
    """Return status and body of each last response, by recording and end of the path."""
    found = {}
    for path in (Path(__file__).parents[2] / "fixtures" / "recordings").glob("*.json"):
        for exchange in json.loads(path.read_text("utf-8"))["exchanges"]:
            last = exchange["responses"][-1]
            text = json.dumps(last["body"]) if "body" in last else ""
            end = exchange["request"]["path"].rpartition("/")[2]
            found[path.stem, end] = last.get("status", 0), text
    status, login = found["ghcr", "login"]
    found["no operation_id", "login"] = status, login.replace("operation_id", "id")
    return found


RECORDED = _recorded()
