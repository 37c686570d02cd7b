"""What must hold on every schedule, judged by the world's truth and not by the code under test."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from lib.errors import ActionError
from lib.state import LoginState
from tests.simulation.api import KEY
from tests.simulation.job import SERVER_ID, TIMEOUT_SECONDS, Job
from tests.simulation.world import MOST_SLEEPS


def violations(job: Job) -> list[str]:
    """Return the invariants that a schedule violates."""
    if job.sleeps > MOST_SLEEPS:
        return ["an actor never ends"]
    checks = [_main, _requests, _secrecy, *([_post, _cleanup] if "post" in job.actors else [])]
    return [*job.problems, *(problem for check in checks for problem in check(job))]


def annotations_of(job: Job, actor: str) -> list[str]:
    """Return the annotations of a step."""
    return [line for line in job.lines[actor] if line.startswith(("::error::", "::warning::"))]


def _cleanup(job: Job) -> Iterator[str]:
    """No silent login and no false warning."""
    changes = [(o.changes_at, o.kind) for o in job.operations if o.changes_at is not None]
    stays_logged_in = max(changes, default=(0.0, ""), key=lambda change: change[0])[1] == "login"
    warning = "".join(annotations_of(job, "post"))
    if job.saved_state == "damaged":
        if not warning and job.given_state:
            yield "a damaged state is ignored"
    elif job.kind == "cleanup: false":
        if warning or any((a.kind, a.actor) == ("logout", "post") for a in job.attempts):
            yield "cleanup: false is ignored"
    elif stays_logged_in and not warning:
        yield "silent login"
    elif warning and not stays_logged_in and not _may_warn(job):
        yield "false warning"
    elif warning and "build-1" not in warning and SERVER_ID not in warning:
        yield "the warning does not name the server"


def _may_warn(job: Job) -> bool:
    """Return whether post must warn although the server is logged out in the end."""
    if job.told.get(("post", "logout"), "done") != "done":
        return True
    waited = job.actors["post"].ended_at - job.actors["post"].started_at
    if job.stage_seen == "requested":
        logins = {a.verdict for a in job.attempts if a.kind == "login"}
        is_unrecorded = job.actors["main"].is_killed or bool(job.unwritable)
        return is_unrecorded or "unknown" in logins or ("pending" in logins and waited > 5.9)
    told = job.told.get(("post", "login"), "")
    polls = {a.verdict for a in job.attempts if (a.actor, a.kind) == ("post", "login poll")}
    is_unknown = not told and (waited > 14.0 or polls != {"accepted"})
    return job.stage_seen == "accepted" and (is_unknown or told == "timeout")


def _main(job: Job) -> Iterator[str]:
    """Exit code, annotations and time of main."""
    if job.actors["main"].is_killed:
        return
    code, end = job.exit_codes["main"], job.actors["main"].ended_at
    is_proved = job.told.get(("main", "login")) == "succeeded"
    canceled_at = min(job.canceled_at, job.stopped_at)
    if code == 0 and (not is_proved or canceled_at < end):
        yield "main succeeds without proof, or after its cancellation"
    if code != 0 and is_proved and canceled_at > end and not job.unwritable:
        yield "main fails although the login succeeded"
    least = most = int(code == 1)
    annotations = len(annotations_of(job, "main"))
    if code == 0 and job.kind == "cleanup: false" and job.unwritable:
        most = 1  # without a logout, an unsaved state is only a warning
    if (code == 130 and canceled_at > end) or not least <= annotations <= most:
        yield f"main exits with {code} and {annotations} annotations"
    logins = [a for a in job.attempts if a.kind == "login"]
    in_flight = any(a.started_at <= canceled_at < a.ended_at for a in logins)
    if end > min(TIMEOUT_SECONDS + 6.0, canceled_at + (6.0 if in_flight else 1.0)):
        yield f"main ends only after {end:.1f} s"


def _post(job: Job) -> Iterator[str]:
    """Exit code, annotations and time of post."""
    lines, post = annotations_of(job, "post"), job.actors["post"]
    if job.exit_codes.get("post") != 0 or len(lines) > 1 or "::error" in "".join(lines)[:7]:
        yield "post fails the job, or writes more than one warning"
    if post.ended_at - post.started_at > 27.0:  # Node and Python need some of the 30 s
        yield "post takes more than 30 s"


def _requests(job: Job) -> Iterator[str]:
    """Number of attempts, and time between polls."""
    for actor, kind in [(actor, kind) for actor in job.actors for kind in ("login", "logout")]:
        own = [a for a in job.attempts if a.actor == actor and a.kind.startswith(kind)]
        if sum(a.kind == kind and not a.is_throttled for a in own) > 5:
            yield f"more than 5 attempts of a {kind}"
        polls = [a.started_at for a in own if a.kind.endswith("poll")]
        if any(later - earlier < 0.35 for earlier, later in pairwise(polls)):
            yield f"the polls of a {kind} are too close"


def _secrecy(job: Job) -> Iterator[str]:
    """The key is in a composite's state only. Every prefix of what main saved can be decoded."""
    logged = [line for lines in job.lines.values() for line in lines]
    if any(KEY in line for line in [*logged, *job.outputs] if not line.startswith("::add-mask::")):
        yield "the key is in the log or in an output"
    if any("#internal-error" in line for line in logged):
        yield "internal error"
    field = f'"api_key":"{KEY}"' if job.kind == "composite" else "none"
    if any(KEY in state.replace(field, "") for state in [*job.states, *job.folder.values()]):
        yield "the key is in the state"
    decoded = [_decoded(state) for state in job.states]
    if any(not b or not a or b.is_older_than(a) for a, b in pairwise(decoded)):
        yield "a state is damaged, or older than the one before"


@lru_cache(64)
def _decoded(state: str) -> LoginState | None:
    try:
        return LoginState.decode(state)
    except ActionError:
        return None
