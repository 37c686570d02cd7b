"""Post's task: undo the login that main left, or say why there is nothing to undo.

And the task of the action that only logs out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lib import advice
from lib.clock import Clock, Deadline
from lib.errors import ActionError, ApiError, LogoutFailed, OperationUnfinished
from lib.models import LogoutRequest, Operation
from lib.state import LoginState, Stage
from lib.text import quote
from lib.workflow import Workflow

if TYPE_CHECKING:
    from lib.client import Client

# With the start of Node and Python, and their end, this stays below the 30 s that we promise.
POST_SECONDS = 25.0
# What is kept of it for the logout while the login's end is waited for.
LOGOUT_SECONDS = 10.0
# The logout that is the main thing has more time: nobody waits for the job to end.
ALONE_SECONDS = 120.0


def log_out(
    saved_state: str,
    api_key: str,
    *,
    connect: Callable[[str, str], Client],
    workflow: Workflow,
    clock: Clock,
) -> None:
    """Log the server out of the registry that main logged it in to.

    Args:
        saved_state: What main saved, or nothing.
        api_key: The key as post's inputs have it. One in the state is preferred: it is there
            only where these inputs cannot be relied on.
        connect: Opens a client for an API address and a key.
        workflow: Speaks with the runner.
        clock: What the time is taken from.

    Raises:
        ActionError: the server may still be logged in.
    """
    deadline = Deadline(clock, POST_SECONDS)
    if not saved_state:
        workflow.info("Nothing to log out: no login was begun.")
        return
    state = LoginState.decode(saved_state)
    workflow.mask(state.api_key)
    nothing = _reason_for_nothing(state)
    if nothing:
        workflow.info(nothing)
        return
    if not state.registry_url:
        raise _lost_login(state)
    key = state.api_key or api_key
    if not key:
        raise _still_logged_in(
            state, "post was given no api_key", login_operation=state.operation_id
        )
    try:
        _undo(state, connect(state.api_url, key), workflow, deadline)
    except ActionError:
        raise
    except Exception as error:
        # Whatever is wrong with this action: the user must know what stays, and where.
        failure = _still_logged_in(
            state, "this action itself failed", login_operation=state.operation_id
        )
        failure.is_bug = True
        raise failure from error


def log_out_alone(
    request: LogoutRequest, *, client: Client, workflow: Workflow, clock: Clock
) -> None:
    """Log a server out of a registry, whoever logged it in.

    Args:
        request: Which server, and which registry.
        client: Speaks with the API.
        workflow: Speaks with the runner.
        clock: What the time is taken from.

    Raises:
        ActionError: the server may still be logged in.
    """
    deadline = Deadline(clock, ALONE_SECONDS)
    workflow.info(f"Logging server {request.server_id} out of {request.registry_url}.")
    _request(request, client, deadline)
    workflow.info(_done(request, deadline))


def _reason_for_nothing(state: LoginState) -> str:
    if state.stage is Stage.FAILED:
        return "Nothing to log out: the login did not work."
    if not state.cleanup:
        return "Not logged out, as asked (cleanup: false)."
    return ""


def _undo(state: LoginState, client: Client, workflow: Workflow, deadline: Deadline) -> None:
    """Wait for a login that may still be under way, then log out."""
    request = LogoutRequest(server_id=state.server_id, registry_url=state.registry_url)
    login = _end_of_login(state, client, deadline)
    if isinstance(login, Operation) and login.failed and not state.is_repeated:
        workflow.info("Nothing to log out: the login did not work after all.")
        return
    _request(request, client, deadline, login_operation=state.operation_id)
    if isinstance(login, ActionError):
        raise _unended_login(state, login.what, login.said)
    if isinstance(login, Operation) and login.status == "timeout":
        raise _unended_login(state, "Reoclo waits for it no longer", "")
    if not state.operation_id:
        raise _unended_login(state, "no answer told how it went", "")
    workflow.info(_done(request, deadline))


def _end_of_login(
    state: LoginState, client: Client, deadline: Deadline
) -> Operation | ActionError | None:
    """Wait for a login that may be under way, since it would land after the logout.

    Returns:
        How it ended, or why that is not known; None if main saw it end, or if no answer told
        what to ask for.
    """
    if state.stage is Stage.SUCCEEDED or not state.operation_id:
        return None
    try:
        return client.follow(state.operation_id, deadline.earlier_by(LOGOUT_SECONDS))
    except (ApiError, OperationUnfinished) as error:
        return error


def _request(
    request: LogoutRequest, client: Client, deadline: Deadline, login_operation: str = ""
) -> None:
    """Have the server logged out, and wait until it is."""
    try:
        accepted = client.log_out(request, deadline)
        if accepted is not None:
            _check(client.follow(accepted.operation_id, deadline))
    except ActionError as error:
        raise _still_logged_in(
            request, error.what, login_operation=login_operation, cause=error
        ) from error


def _done(request: LogoutRequest, deadline: Deadline) -> str:
    return (
        f"Logged out of {request.registry_url} on server {request.server_id} in "
        f"{deadline.elapsed():.1f} s."
    )


def _check(operation: Operation) -> None:
    """Raise unless a logout's operation worked; to be logged out already is to be logged out."""
    result = operation.result
    output = f"{result.stderr} {result.stdout}" if result else ""
    if not operation.succeeded and "not logged in" not in output.lower():
        raise LogoutFailed(
            f"the server could not do it (status {quote(operation.status, 40)})",
            said=quote(output),
            remedy="",
            operation_id=operation.operation_id,
        )


def _lost_login(state: LoginState) -> LogoutFailed:
    return LogoutFailed(
        f"A login with the credential {state.credential_id} may have reached server "
        f"{state.server_id}, but no answer told so, and its registry is not known here",
        remedy="Look for it in Reoclo's audit log. If it is there, "
        f"{advice.logout_by_hand(state.registry_url)}.",
    )


def _unended_login(state: LoginState, doubt: str, said: str) -> LogoutFailed:
    return LogoutFailed(
        f"Server {state.server_id} was logged out of {state.registry_url}, but its login may have "
        f"ended after that: {doubt}",
        said=said,
        remedy="Look the login up in Reoclo's audit log; if it ended later, "
        f"{advice.logout_by_hand(state.registry_url)}.",
        operation_id=state.operation_id,
    )


def _still_logged_in(
    where: LogoutRequest | LoginState,
    why: str,
    *,
    login_operation: str,
    cause: ActionError | None = None,
) -> LogoutFailed:
    remedy = f"To log it out now, {advice.logout_by_hand(where.registry_url)}."
    if isinstance(cause, ApiError):  # what helps a request helps here; what helps a login does not
        remedy += f" {cause.remedy}"
    return LogoutFailed(
        f"Server {where.server_id} may still be logged in to {where.registry_url}: {why}",
        said=cause.said if cause else "",
        remedy=remedy,
        operation_id=(cause.operation_id if cause else "") or login_operation,
    )
