"""What main does: log the server in, and save what post needs to log out."""

from __future__ import annotations

import re
from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING, Any

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

_OUTPUTS = ("operation_id", "registry_url", "registry_type")  # as the response's fields
_ACCEPTED = "Login accepted: registry {}, operation {}."
# What Docker prints before the registry's own error.
_DAEMON_PREFIX = re.compile(r'^Error response from daemon: (?:Get "[^"\n]*": )?')


@dataclass(eq=False)
class UnsavedLogin(RunnerError):
    """The API accepted the login, but `state` cannot be saved, so that post could not log out."""

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
    so that post can clean up wherever the process was killed. The `state` to start with has
    stage NONE and identifies this run of main; in a composite action it contains the API key.
    Raises an `ActionError` if the login failed or its outcome is unknown, and `Canceled`.
    """
    deadline = Deadline(cancellation, inputs.timeout)
    request, step = inputs.request, _Step(inputs, runner, files)
    runner.info(f"Logging in {request.description}.")
    with cancellation.shield(deadline):
        state, accepted = step.send(state, client, deadline, cancellation)
        state, unsaved = step.accept(state, accepted)
    operation = accepted.operation
    operation = operation or client.wait_for(state.operation_id, deadline, purpose="login")
    state = replace(state, server_name=operation.server_name)
    step.save_end(state, operation)
    if not operation.succeeded:
        runner.output_block(f"Docker output on {state.server}:", operation.output)
        raise _failure(operation, state, request)
    where = f"{state.registry_url} on {state.server}"
    runner.info(f"Logged in to {where} in {deadline.elapsed():.1f} s.")
    if unsaved:
        runner.warning(unsaved)
    stays = "The server stays logged in after the job (cleanup: false)."
    runner.info("The post step will log out when the job ends." if inputs.cleanup else stays)


@dataclass(frozen=True, slots=True)
class _Step:
    inputs: LoginInputs
    runner: Runner
    files: StepFiles

    def send(
        self, state: LoginState, client: Client, deadline: Deadline, cancellation: Cancellation
    ) -> tuple[LoginState, AcceptedLogin]:
        """Save the state, send the login request, and record if it certainly was not processed."""
        request = self.inputs.request
        state = replace(
            state,
            stage=Stage.REQUESTED,
            server_id=request.server_id,
            credential_id=request.credential_id,
            registry_url=request.registry_url,
            api_url=self.inputs.api_url,
            cleanup=self.inputs.cleanup,
        )
        self.save(state)
        try:
            # Before the request, the client passes a checkpoint, which looks for the stop file.
            accepted = client.log_in(request, deadline)
        except (ApiError, Canceled) as error:
            if not error.maybe_processed:
                self.try_to_save(replace(state, stage=Stage.FAILED))
            cancellation.raise_if_canceled()  # no response within the grace period is no error
            raise
        return state, _without_key(accepted, self.inputs.api_key)

    def accept(
        self, state: LoginState, accepted: AcceptedLogin
    ) -> tuple[LoginState, RunnerError | None]:
        """Save the response, set the step outputs, and return an error that is only a warning."""
        state = replace(
            state,
            stage=Stage.ACCEPTED if accepted.operation_id else Stage.REQUESTED,
            operation_id=accepted.operation_id,
            registry_url=accepted.registry_url or state.registry_url,
            maybe_repeated=accepted.maybe_repeated,
        )
        unsaved = self.save_accepted(state)
        if not accepted.operation_id:
            raise invalid_response("operation_id is missing or invalid")
        if not accepted.registry_url:
            error = invalid_response("registry_url is missing or invalid")
            raise replace(error, operation_id=accepted.operation_id)
        self.runner.set_outputs([(name, getattr(accepted, name)) for name in _OUTPUTS])
        kind = f" ({accepted.registry_type})" if accepted.registry_type else ""
        if not kind:
            self.runner.debug("The response contains no valid registry_type.")
        self.runner.info(_ACCEPTED.format(accepted.registry_url + kind, accepted.operation_id))
        return state, unsaved

    def save_accepted(self, state: LoginState) -> RunnerError | None:
        """Save the state of an accepted login. Return the error if post does not need the state."""
        try:
            self.save(state)
        except RunnerError as error:
            if not self.inputs.cleanup:
                return error
            known = state.registry_url or "unknown", state.operation_id or "unknown"
            self.runner.info(_ACCEPTED.format(*known))
            summary, detail, hint = error.summary, error.detail, error.hint
            raise UnsavedLogin(summary, detail=detail, hint=hint, state=state) from error
        return None

    def save_end(self, state: LoginState, operation: Operation) -> None:
        """Save how the login ended, where that is certain. Post logs out what may be logged in."""
        if operation.succeeded:
            state = replace(state, stage=Stage.SUCCEEDED)
        elif operation.failed and not state.maybe_repeated:
            state = replace(state, stage=Stage.FAILED)
        self.try_to_save(state)

    def try_to_save(self, state: LoginState) -> None:
        """Save a state that only spares post a poll or a warning."""
        try:
            self.save(state)
        except RunnerError as error:
            self.runner.debug(f"{error.summary}: {error.detail}")

    def save(self, state: LoginState) -> None:
        encoded = state.encode()
        self.runner.save_state(STATE_NAME, encoded, without_key=state.encode_without_key())
        self.files.append_state(encoded)


def _without_key(accepted: AcceptedLogin, api_key: str) -> AcceptedLogin:
    """Return the response without values that contain the API key, which no output may."""
    unsafe: dict[str, Any] = {name: "" for name in _OUTPUTS if api_key in getattr(accepted, name)}
    return replace(accepted, **unsafe)


def _failure(operation: Operation, state: LoginState, request: LoginRequest) -> ActionError:
    login = f"login to {state.registry_url} on {state.server}"
    if operation.status == "timeout":
        summary, hint = f"The {login} timed out on the server", hints.SERVER_TIMEOUT
    elif operation.exit_code is None:
        status, hint = operation.status or "unknown", hints.NO_RESULT
        summary = f"Reoclo returned no result for the {login} (status {status})"
    else:
        is_usual = operation.status in {"completed", "failed"}
        status = "" if is_usual else f", status {operation.status}"
        failed = f"Login to {state.registry_url} failed on {state.server}"
        summary = f"{failed} (exit code {operation.exit_code}{status})"
        hint = hints.for_docker_output(operation.output, request.credential)
    detail = _DAEMON_PREFIX.sub("", operation.output)
    return LoginFailed(summary, detail=detail, hint=hint, operation_id=state.operation_id)
