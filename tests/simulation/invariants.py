"""Invariants of every schedule, checked against the state of the simulated world."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from lib.errors import ActionError
from lib.state import LoginState
from tests.scheduler import MOST_SLEEPS
from tests.simulation.job import TIMEOUT_SECONDS, Job
from tests.variables import KEY, VARIABLES

Checks = Iterator[tuple[bool, str]]  # whether something is violated, and what


def violations(job: Job) -> list[str]:
    """Return the invariants that a schedule violates."""
    if any(actor.sleeps > MOST_SLEEPS for actor in job.actors.values()):
        return ["an actor never ends"]
    checks = [_requests, _secrecy, _main, *([_post, _cleanup] if "post" in job.actors else [])]
    return [*job.problems, *(text for check in checks for violated, text in check(job) if violated)]


def annotations_of(job: Job, actor: str) -> list[str]:
    """Return the annotations of a step."""
    return [line for line in job.lines[actor] if line.startswith(("::error::", "::warning::"))]


def _cleanup(job: Job) -> Checks:
    changes = [(o.changes_at, o.kind) for o in job.operations if o.changes_at is not None]
    stays_logged_in = max(changes, default=(0.0, ""), key=lambda change: change[0])[1] == "login"
    warning = "".join(annotations_of(job, "post"))
    yield stays_logged_in and not warning, "silent login"
    yield bool(warning) and not stays_logged_in and not _may_warn(job), "false warning"
    is_named = "build-1" in warning or VARIABLES["INPUT_SERVER_ID"] in warning
    yield bool(warning) and not is_named, "the warning does not name the server"


def _may_warn(job: Job) -> bool:
    """Return whether post must warn although the server is logged out in the end."""
    if job.known("post", "logout") not in {"", "done"}:
        return True
    waited = job.actors["post"].ended_at - job.actors["post"].started_at
    if job.stage_seen == "requested":
        logins = job.logins_known()
        is_unknown = "unknown" in logins or ("pending" in logins and waited > 5.9)
        return is_unknown or job.is_unrecorded()
    known = job.known("post", "login")
    polls = {a.known for a in job.attempts if (a.actor, a.kind) == ("post", "login poll")}
    still_runs = known == "running" and (waited > 14.0 or polls != {"running"})
    is_unknown = known in {"timeout", "unknown", "not processed", "pending"}
    return job.stage_seen == "accepted" and (still_runs or is_unknown)


def _main(job: Job) -> Checks:
    annotations = len(annotations_of(job, "main"))
    yield annotations > 1, "main writes more than one annotation"
    if job.actors["main"].is_killed:
        return
    code, end = job.exit_codes["main"], job.actors["main"].ended_at
    canceled_at = min(job.canceled_at, job.stopped_at)
    is_proved = job.known("main", "login") == "succeeded"
    yield code == 0 and (not is_proved or canceled_at < end), "main succeeds without proof, or late"
    fails_for_nothing = code != 0 and is_proved and canceled_at > end and not job.unwritable
    yield fails_for_nothing, "main fails although the login succeeded"
    yield code == 130 and canceled_at > end, "main exits with 130 without a cancellation"
    yield annotations != (code == 1), f"main exits with {code} and {annotations} annotations"
    logins = [a for a in job.attempts if a.kind == "login" and a.started_at <= canceled_at]
    sending = any(canceled_at < login.ended_at for login in logins)
    limit = TIMEOUT_SECONDS + (26.0 if "GITHUB_STATE" in job.unwritable else 6.0)  # it logs out
    yield end > min(limit, canceled_at + (6.0 if sending else 1.0)), f"main ends at {end:.1f} s"


def _post(job: Job) -> Checks:
    lines, post = annotations_of(job, "post"), job.actors["post"]
    yield job.exit_codes.get("post") != 0, "post fails the job"
    yield len(lines) > 1 or "::error" in "".join(lines)[:7], "post writes more than one warning"
    yield post.ended_at - post.started_at > 27.0, "post takes more than 30 s, with Node and Python"


def _requests(job: Job) -> Checks:
    for actor, kind in [(actor, kind) for actor in job.actors for kind in ("login", "logout")]:
        own = [a for a in job.attempts if a.actor == actor and a.kind.startswith(kind)]
        count = sum(a.kind == kind and a.fault.retry_after is None for a in own)
        yield count > 5, f"more than 5 attempts of a {kind}"
        polls = [a.started_at for a in own if a.kind.endswith("poll")]
        yield any(b - a < 0.35 for a, b in pairwise(polls)), f"the polls of a {kind} are too close"


def _secrecy(job: Job) -> Checks:
    """The key is in a composite's state only. Every prefix of what main saved can be decoded."""
    public = [line for line in job.log if not ("::add-mask::" in line or line.endswith("STATE"))]
    yield any(KEY in line for line in public), "the key is in the log or in an output"
    yield any("#internal-error" in line for line in public), "internal error"
    field = f'"api_key":"{KEY}"' if "composite" in job.kind else "none"
    states = [state.replace(field, "") for state in [*job.states, *job.folder.values()]]
    yield any(KEY in state for state in states), "the key is in the state"
    yield not all(map(_can_be_decoded, job.states)), "a state is damaged"


@lru_cache(64)
def _can_be_decoded(state: str) -> bool:
    try:
        return bool(LoginState.decode(state))
    except ActionError:
        return False
