"""What main does: log the server in, and save what post needs to log out."""

from __future__ import annotations

import re
from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING

from lib import hints
from lib.api.models import AcceptedLogin, LoginRequest, Operation, invalid_response
from lib.cancellation import Canceled, Cancellation
from lib.deadline import Deadline
from lib.errors import ActionError, ApiError, LoginFailed, RunnerError
from lib.inputs import LoginInputs
from lib.runner.commands import Runner
from lib.state import STATE_NAME, LoginState, Stage
from lib.stop_file import StepFiles

if TYPE_CHECKING:
    from lib.api.client import Client

# What Docker prints before the registry's own error.
_DAEMON_PREFIX = re.compile(r'^Error response from daemon: (?:Get "[^"\n]*": )?')


@dataclass(eq=False)
class UnsavedLogin(RunnerError):
    """The API accepted the login, but the state cannot be saved, so that post could not log out.

    Args:
        state: The state that could not be saved.
    """

    _: KW_ONLY
    state: LoginState


def log_in(
    inputs: LoginInputs,
    state: LoginState,
    *,
    client: Client,
    runner: Runner,
    files: StepFiles,
    cancellation: Cancellation,
) -> None:
    """Log the server in and wait for the login to finish.

    Saves state before the request is sent, when it is accepted, and when the login finishes,
    so that post can clean up wherever the process was killed.

    Args:
        inputs: Validated step inputs.
        state: State of stage NONE, which identifies this run of main. In a composite action it
            contains the API key.
        client: Reoclo API client.
        runner: Log, outputs and state of the step.
        files: The step's stop file and state file.
        cancellation: Clock and cancellation checkpoints.

    Raises:
        ActionError: the login failed, or its outcome is unknown.
        Canceled: the step was canceled.
    """
    deadline = Deadline(cancellation, inputs.timeout)
    state = _requested(inputs, state)
    runner.info(f"Logging in {inputs.request.description}.")
    with cancellation.shield(deadline):
        accepted = _send(
            inputs, state, client=client, runner=runner, files=files, deadline=deadline
        )
        state = _accept(inputs, state, accepted, runner=runner, files=files)
    operation = accepted.operation or client.wait_for(
        accepted.operation_id, deadline, purpose="login"
    )
    state = replace(state, server_name=operation.server_name)
    _save_end(state, operation, runner, files)
    _raise_if_failed(operation, state, inputs.request, runner)
    runner.info(
        f"Logged in to {state.registry_url} on {state.server} in {deadline.elapsed():.1f} s."
    )
    runner.info(
        "The post step will log out when the job ends."
        if inputs.cleanup
        else "The server stays logged in after the job (cleanup: false)."
    )


def _requested(inputs: LoginInputs, state: LoginState) -> LoginState:
    return replace(
        state,
        stage=Stage.REQUESTED,
        server_id=inputs.request.server_id,
        credential_id=inputs.request.credential_id,
        registry_url=inputs.request.registry_url,
        api_url=inputs.api_url,
        cleanup=inputs.cleanup,
    )


def _send(
    inputs: LoginInputs,
    state: LoginState,
    *,
    client: Client,
    runner: Runner,
    files: StepFiles,
    deadline: Deadline,
) -> AcceptedLogin:
    """Save the state, send the login request, and record if it certainly was not processed."""
    _save(state, runner, files)
    try:
        # The client's first checkpoint looks for the stop file, after the state was saved.
        accepted = client.log_in(inputs.request, deadline)
    except (ApiError, Canceled) as error:
        if not error.maybe_processed:
            _save(replace(state, stage=Stage.FAILED), runner, files)
        raise
    return _without_key(accepted, inputs.api_key)


def _accept(
    inputs: LoginInputs,
    state: LoginState,
    accepted: AcceptedLogin,
    *,
    runner: Runner,
    files: StepFiles,
) -> LoginState:
    """Save what the API responded, and set the step outputs."""
    state = replace(
        state,
        stage=Stage.ACCEPTED if accepted.operation_id else Stage.REQUESTED,
        operation_id=accepted.operation_id,
        registry_url=accepted.registry_url or state.registry_url,
        maybe_repeated=accepted.maybe_repeated,
    )
    _save_accepted(inputs, state, runner, files)
    if not accepted.operation_id:
        raise invalid_response("operation_id is missing or invalid")
    if not accepted.registry_url:
        raise replace(
            invalid_response("registry_url is missing or invalid"),
            operation_id=accepted.operation_id,
        )
    runner.set_outputs(
        [
            ("operation_id", accepted.operation_id),
            ("registry_url", accepted.registry_url),
            ("registry_type", accepted.registry_type),
        ]
    )
    kind = f" ({accepted.registry_type})" if accepted.registry_type else ""
    if not kind:
        runner.debug("The response contains no valid registry_type.")
    runner.info(
        f"Login accepted: registry {accepted.registry_url}{kind}, "
        f"operation {accepted.operation_id}."
    )
    return state


def _save_accepted(
    inputs: LoginInputs, state: LoginState, runner: Runner, files: StepFiles
) -> None:
    """Save the state of an accepted login. Without a logout, a failure is only logged."""
    try:
        _save(state, runner, files)
    except RunnerError as error:
        runner.info(
            f"Login accepted: registry {state.registry_url or 'unknown'}, "
            f"operation {state.operation_id or 'unknown'}."
        )
        if inputs.cleanup:
            raise UnsavedLogin(
                error.summary, detail=error.detail, hint=error.hint, state=state
            ) from error
        # Post has nothing to do. A warning would be a second annotation if the login fails later.
        runner.info(f"{error.summary}: {error.detail}.")


def _save_end(state: LoginState, operation: Operation, runner: Runner, files: StepFiles) -> None:
    """Save how the login ended, where that is certain. Post logs out what may have succeeded."""
    if operation.succeeded:
        state = replace(state, stage=Stage.SUCCEEDED)
    elif operation.failed and not state.maybe_repeated:
        state = replace(state, stage=Stage.FAILED)
    try:
        _save(state, runner, files)
    except RunnerError as error:
        # Post reads the state saved before, and asks the API how the login ended.
        runner.debug(f"{error.summary}: {error.detail}")


def _save(state: LoginState, runner: Runner, files: StepFiles) -> None:
    encoded = state.encode()
    runner.save_state(STATE_NAME, encoded, without_key=state.encode_without_key())
    files.append_state(encoded)


def _without_key(accepted: AcceptedLogin, api_key: str) -> AcceptedLogin:
    """Return the response without values that contain the API key, which no output may."""

    def safe(value: str) -> str:
        return "" if api_key in value else value

    return replace(
        accepted,
        operation_id=safe(accepted.operation_id),
        registry_url=safe(accepted.registry_url),
        registry_type=safe(accepted.registry_type),
    )


def _raise_if_failed(
    operation: Operation, state: LoginState, request: LoginRequest, runner: Runner
) -> None:
    """Raise the error for an operation that did not log the server in."""
    if operation.succeeded:
        return
    runner.output_block(f"Docker output on {state.server}:", operation.output)
    raise _failure(operation, state, request)


def _failure(operation: Operation, state: LoginState, request: LoginRequest) -> ActionError:
    login = f"login to {state.registry_url} on {state.server}"
    if operation.status == "timeout":
        summary, hint = f"The {login} timed out on the server", hints.SERVER_TIMEOUT
    elif operation.exit_code is None:
        summary, hint = (
            f"Reoclo returned no result for the {login} (status {operation.status or 'unknown'})",
            hints.NO_RESULT,
        )
    else:
        is_usual = operation.status in {"completed", "failed"}
        status = "" if is_usual else f", status {operation.status}"
        summary = f"Login to {state.registry_url} failed on {state.server} "
        summary += f"(exit code {operation.exit_code}{status})"
        hint = hints.for_docker_output(operation.output, request.credential)
    detail = _DAEMON_PREFIX.sub("", operation.output)
    return LoginFailed(summary, detail=detail, hint=hint, operation_id=state.operation_id)
