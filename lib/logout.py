"""What post does: log out of the login that main left. Also what the logout action does."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from lib import hints
from lib.api.models import LogoutRequest, Operation
from lib.deadline import Clock, Deadline
from lib.errors import ActionError, ApiError, LogoutFailed, OperationTimeout, StatusError
from lib.hints import Hint, logout_command
from lib.runner.commands import Runner
from lib.state import LoginState, Stage, damaged_state
from lib.stop_file import StepFiles

if TYPE_CHECKING:
    from lib.api.client import Client

POST_SECONDS = 25.0  # with the start of Node and Python, less than the 30 s that we promise
LOGOUT_SECONDS = 10.0  # kept for the logout while post waits for the login to end
MAIN_SECONDS = 6.0  # to wait for a main that is still running, with its request in flight
LOGOUT_ACTION_SECONDS = 120.0  # more, because the logout is all that this action does
UNSAVED_SECONDS = 20.0  # to wait for the end of a login whose state is unsaved, and to log out

# docker: `Not logged in to <address>`, podman: `Error: not logged into <address>`.
_NOT_LOGGED_IN = re.compile(r"(?im)^(?:Error: )?not logged in(?:to| to) \S+\s*$")
_NOT_ERASED = "could not erase credentials"  # Docker 28 exits with 0 after this

_AS_AGENT = "as the Reoclo runner agent's user"


def log_out(
    saved_state: str,
    api_key: str,
    *,
    own_api_url: Callable[[], str],
    connect: Callable[[str, str], Client],
    is_running: Callable[[int, str], bool],
    files: StepFiles,
    runner: Runner,
    clock: Clock,
    seconds: float = POST_SECONDS,
) -> None:
    """Log out as main's state says, or raise `ActionError`: the server may still be logged in.

    `saved_state` is what main or the launcher saved, empty if nothing. A key in it takes precedence
    over `api_key`, because it is there only where post's inputs are unreliable. `own_api_url` is of
    post's inputs, `connect` takes an API URL and a key, `is_running` a process id and start time.
    """
    deadline = Deadline(clock, seconds)
    state, files = _read_state(saved_state, files, own_api_url)
    state = _wait_for_main(state, files, is_running, clock)
    runner.mask(state.api_key)
    connect_with_key = partial(_connect, state, api_key, connect)
    try:
        done = _nothing_to_do(state) or clean_up(state, connect_with_key, runner, deadline)
    except ImportError:  # Python is unusable without its standard library; the next one goes on
        raise
    except Exception as error:
        files.remove_state()
        if isinstance(error, ActionError):
            raise
        # Whatever is wrong with this action: the user must know what stays logged in, and where.
        reason, fix = "internal error in reoclo/docker-auth", f". {hints.INTERNAL_ERROR.text}"
        raise _not_logged_out(state, reason, fix=fix) from error
    runner.info(done)
    files.remove_state()  # not before: if Python is killed, the launcher starts it again


def log_out_alone(request: LogoutRequest, *, client: Client, runner: Runner, clock: Clock) -> None:
    """Log a server out of a registry, no matter which job logged it in. Raises as `log_out`."""
    server_id, registry_url = request.server_id, request.registry_url
    state = LoginState(stage=Stage.SUCCEEDED, server_id=server_id, registry_url=registry_url)
    runner.info(_log_out(state, client, runner, Deadline(clock, LOGOUT_ACTION_SECONDS)))


def clean_up(
    state: LoginState, connect: Callable[[], Client], runner: Runner, deadline: Deadline
) -> str:
    """Wait for a login whose end is unknown, log out, and return the line that reports it.

    Raises as `log_out`.
    """
    if not state.registry_url and not state.operation_id:
        raise _unknown_registry(state, "no valid response was received")
    client = connect()
    login = _end_of_login(state, client, deadline)
    if isinstance(login, Operation) and login.failed and not state.maybe_repeated:
        return "Nothing to clean up: the login failed."
    if not state.registry_url:
        raise _unknown_registry(state, "the response did not contain the registry")
    done = _log_out(state, client, runner, deadline)
    doubt = _doubt(state, login)
    if doubt:
        raise _late_login(state, doubt)
    return done


def _read_state(
    saved_state: str, files: StepFiles, own_api_url: Callable[[], str]
) -> tuple[LoginState, StepFiles]:
    """Create the stop file, and return the newest state of this login and its files."""
    state: LoginState | None = None
    try:
        state = LoginState.decode(saved_state) if saved_state else None
    finally:  # main must be stopped even if the state is damaged
        files = replace(files, login_id=state.id if state else "")
        files.stop()
    newest = _newer(state, files.newest_state())
    if newest is None:
        return LoginState(stage=Stage.NONE), files
    # The key of post's inputs goes to no other URL than theirs. A state with its own key, from a
    # composite action, is different: there, post's inputs may be wrong.
    is_unattributed = state is None and newest.stage is not Stage.NONE and not newest.api_key
    if is_unattributed and newest.api_url != own_api_url():
        raise damaged_state("api_url does not match this step's api_url")
    return newest, replace(files, login_id=newest.id)


def _newer(state: LoginState | None, on_disk: str) -> LoginState | None:
    """Return the later of the state that the runner passed on and the state file's."""
    if not on_disk:
        return state
    try:
        newest = LoginState.decode(on_disk)
    except ActionError:
        if state is None or state.stage is Stage.NONE:
            raise
        return state
    if state is None:
        return newest
    if state.stage is Stage.NONE and newest.id != state.id:
        raise damaged_state("the state file belongs to a different login")
    return newest if newest.id == state.id and state.is_older_than(newest) else state


def _wait_for_main(
    state: LoginState, files: StepFiles, is_running: Callable[[int, str], bool], clock: Clock
) -> LoginState:
    """Wait for the state that follows, if main is still running with its request in flight."""
    deadline = Deadline(clock, MAIN_SECONDS)
    while state.stage is Stage.REQUESTED and deadline.remaining():
        is_alive = is_running(state.pid, state.started)
        state = _newer(state, files.newest_state()) or state
        if not is_alive:
            break
        clock.sleep(0.1)
    return state


def _connect(state: LoginState, api_key: str, connect: Callable[[str, str], Client]) -> Client:
    key = state.api_key or api_key
    if not key:
        raise _not_logged_out(state, "the post step received no api_key")
    return connect(state.api_url, key)


def _nothing_to_do(state: LoginState) -> str:
    if state.stage is Stage.NONE:
        return "Nothing to clean up: no login was requested."
    if state.stage is Stage.FAILED:
        return "Nothing to clean up: the login failed."
    if state.cleanup:
        return ""
    stays = f" The server stays logged in to {state.registry_url}." if state.registry_url else ""
    return f"Skipping logout (cleanup: false).{stays}"


def _end_of_login(
    state: LoginState, client: Client, deadline: Deadline
) -> Operation | ActionError | None:
    """Wait for a login that might end after the logout. Return its end, or why that is unknown.

    Returns None if main saw it end, or if there is no operation to poll.
    """
    if state.stage is Stage.SUCCEEDED or not state.operation_id:
        return None
    share = deadline.earlier_by(LOGOUT_SECONDS)
    try:
        return client.wait_for(state.operation_id, share, purpose="login", first_seconds=0.0)
    except OperationTimeout as error:
        if isinstance(error.__cause__, StatusError) and error.__cause__.is_throttled:
            share.wait()  # the API requested to wait longer than that
        return error
    except ApiError as error:
        return error


def _doubt(state: LoginState, login: Operation | ActionError | None) -> str:
    """Return why the login might end after the logout, empty if it cannot."""
    if isinstance(login, ActionError):
        return _lower(login.summary)
    if login and login.status == "timeout":
        return "the login timed out on the server"
    return "" if state.operation_id else "its operation is unknown"


def _log_out(state: LoginState, client: Client, runner: Runner, deadline: Deadline) -> str:
    """Log out, wait for the logout, and return the line that reports it."""
    runner.info(f"Logging out of {state.registry_url} on {state.server}.")
    started = deadline.elapsed()
    try:
        operation = _request(state, client, deadline)
        is_verified = _is_verified(operation)
    except ActionError as error:
        raise _not_logged_out(state, _lower(error.headline), cause=error) from error
    if is_verified:
        return f"Logged out in {deadline.elapsed() - started:.1f} s."
    missing = "result" if operation.ended else "operation"
    return f"Logout accepted; the API returned no {missing} to verify."


def _request(state: LoginState, client: Client, deadline: Deadline) -> Operation:
    """Return the logout's operation at its end; an empty one if there is none to follow."""
    request = LogoutRequest(server_id=state.server_id, registry_url=state.registry_url)
    operation = client.log_out(request, deadline)
    if operation.status == "completed" and operation.exit_code is None:
        return replace(operation, exit_code=0)  # the API itself reports that it is done
    if operation.ended or not operation.operation_id:
        return operation
    try:
        return client.wait_for(operation.operation_id, deadline, purpose="logout")
    except StatusError as error:
        if error.status != 404:
            raise
        return Operation()


def _is_verified(operation: Operation) -> bool:
    """Return whether the server provably is logged out, or raise if the logout failed.

    A server that was not logged in is logged out, but only Docker's own line proves that, and
    not after a timeout.
    """
    output = f"{operation.stderr}\n{operation.stdout}"
    was_not_logged_in = operation.status != "timeout" and _NOT_LOGGED_IN.search(output)
    if _NOT_ERASED not in output:
        if operation.succeeded or was_not_logged_in:
            return True
        if not operation.reports_failure:
            return False
    code = "" if operation.exit_code is None else f"exit code {operation.exit_code}, "
    reason = f"`docker logout` failed on the server ({code}status {operation.status or 'unknown'})"
    hint, operation_id = Hint("", hints.LOGOUT_FAILED), operation.operation_id
    raise LogoutFailed(reason, detail=operation.output, hint=hint, operation_id=operation_id)


def _unknown_registry(state: LoginState, reason: str) -> LogoutFailed:
    hint = Hint(
        f"Look up the operations of credential {state.credential_id} in the Reoclo audit log. If "
        "the login succeeded, run `docker logout` with its registry on "
        f"{state.server} {_AS_AGENT}.",
        hints.OUTCOME_UNKNOWN,
    )
    summary = f"The login request might have reached the Reoclo API, but {reason}, so the registry "
    return LogoutFailed(f"{summary}is unknown", hint=hint, operation_id=state.operation_id)


def _late_login(state: LoginState, reason: str) -> LogoutFailed:
    hint = Hint(
        "Look up the login in the Reoclo audit log. If it finished after the logout, run "
        f"{logout_command(state.registry_url)} on the server {_AS_AGENT}.",
        hints.LATE_LOGIN,
    )
    summary = f"Logged out of {state.registry_url} on {state.server}, but the login might still "
    operation = {"operation_id": state.operation_id, "operation_label": "login operation"}
    return LogoutFailed(f"{summary}finish: {reason}", hint=hint, **operation)


def _not_logged_out(
    state: LoginState, reason: str, *, fix: str = ".", cause: ActionError | None = None
) -> LogoutFailed:
    """Return the error for a server that may still be logged in. `fix` ends the hint."""
    operation_id = cause.operation_id if cause else ""
    if cause and cause.hint.anchor == "403":
        fix = ", and add registry_logout to the key's Allowed Operations."
    elif isinstance(cause, ApiError) and not cause.retryable:
        fix = f". {cause.hint.text}"  # what a later attempt needs does not help here
    by_hand = f"Run {logout_command(state.registry_url)} on the server {_AS_AGENT}"
    return LogoutFailed(
        f"Could not log out of {state.registry_url or 'the registry'} on {state.server}: {reason}",
        detail=cause.detail if cause else "",
        hint=Hint(f"The server may still be logged in. {by_hand}{fix}", hints.LOGOUT_FAILED),
        operation_id=operation_id or state.operation_id,
        operation_label="operation" if operation_id else "login operation",
    )


def _lower(summary: str) -> str:
    return summary[:1].lower() + summary[1:]
