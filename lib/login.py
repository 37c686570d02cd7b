"""Main's task: log the server in, and leave what post needs to undo it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from lib import advice
from lib.clock import Deadline
from lib.errors import ApiError, LoginFailed, OperationUnfinished
from lib.inputs import Inputs
from lib.models import AcceptedLogin, LoginRequest, Operation
from lib.process import Cancellation, Cancelled
from lib.state import LoginState, Stage
from lib.text import quote
from lib.workflow import Workflow

if TYPE_CHECKING:
    from lib.client import Client


def log_in(
    inputs: Inputs,
    *,
    is_composite: bool,
    client: Client,
    workflow: Workflow,
    cancellation: Cancellation,
) -> None:
    """Log the server in to the registry, and wait until it is.

    Args:
        inputs: What the user wants.
        is_composite: Whether post will need the key from the state.
        client: Speaks with the API.
        workflow: Speaks with the runner.
        cancellation: The clock, and what keeps a cancel away while the request is sent.

    Raises:
        ActionError: the server is not logged in, or it is not known to be.
        Cancelled: the runner asked the step to end.
    """
    deadline = Deadline(cancellation, inputs.timeout)
    state = LoginState(
        stage=Stage.REQUESTED,
        server_id=inputs.login.server_id,
        credential_id=inputs.login.credential_id,
        registry_url=inputs.login.registry_url,
        api_url=inputs.api_url,
        cleanup=inputs.cleanup,
        api_key=inputs.api_key if is_composite else "",
    )
    workflow.info(f"Logging {inputs.login}.")
    with cancellation.held(deadline):
        state, accepted = _request(
            inputs.login,
            state,
            client=client,
            workflow=workflow,
            cancellation=cancellation,
            deadline=deadline,
        )
    operation = client.follow(accepted.operation_id, deadline)
    _save_end(state, operation, workflow.save_state)
    _judge(operation, accepted, inputs.login, workflow)
    workflow.info(
        f"Logged in to {accepted.registry_url} on "
        f"{_server(operation, f'server {inputs.login.server_id}')} in {deadline.elapsed():.1f} s."
    )
    workflow.info(
        "The server will be logged out when the job ends."
        if inputs.cleanup
        else "The server stays logged in after the job (cleanup: false)."
    )


def _request(  # noqa: PLR0913 each is what it says
    request: LoginRequest,
    state: LoginState,
    *,
    client: Client,
    workflow: Workflow,
    cancellation: Cancellation,
    deadline: Deadline,
) -> tuple[LoginState, AcceptedLogin]:
    """Send the login, with the state saved before it and as soon as its answer is there."""
    workflow.save_state(state.encode())
    try:
        cancellation.check()  # after the save: whoever ended the step until now has read it
        accepted = client.log_in(request, deadline)
    except (ApiError, Cancelled) as error:
        if not error.lost:
            workflow.save_state(replace(state, stage=Stage.FAILED).encode())
        raise
    state = replace(
        state,
        stage=Stage.ACCEPTED,
        operation_id=accepted.operation_id,
        registry_url=accepted.registry_url,
        is_repeated=accepted.is_repeated,
    )
    workflow.save_state(state.encode())
    workflow.set_outputs(
        [
            ("operation_id", accepted.operation_id),
            ("registry_url", accepted.registry_url),
            ("registry_type", accepted.registry_type),
        ]
    )
    workflow.info(
        f"Registry {accepted.registry_url} ({accepted.registry_type}), "
        f"operation {accepted.operation_id}."
    )
    return state, accepted


def _save_end(state: LoginState, operation: Operation, save: Callable[[str], None]) -> None:
    """Save how the login ended, where that is certain: post logs out what may have worked."""
    if operation.succeeded:
        save(replace(state, stage=Stage.SUCCEEDED).encode())
    elif operation.failed and not state.is_repeated:
        save(replace(state, stage=Stage.FAILED).encode())


def _judge(
    operation: Operation, accepted: AcceptedLogin, login: LoginRequest, workflow: Workflow
) -> None:
    """Raise the error that fits an operation that did not log the server in."""
    if operation.succeeded:
        return
    result = operation.result
    if result is not None:
        workflow.quotation("What docker said on the server:", result.stderr or result.stdout)
    raise _failure(operation, accepted.registry_url, login.source)


def _failure(
    operation: Operation, registry_url: str, source: str
) -> LoginFailed | OperationUnfinished:
    server = _server(operation, "the server")
    result = operation.result
    if operation.status == "timeout":
        return OperationUnfinished(
            f"The login to {registry_url} on {server} took longer than Reoclo waits for",
            remedy="Check that the server reaches the registry, that docker on it answers, and "
            "that its runner agent is online in the Reoclo dashboard.",
            operation_id=operation.operation_id,
        )
    if result is None or result.exit_code is None:
        return LoginFailed(
            f"Reoclo ended the login to {registry_url} on {server} without saying how it went "
            f"(status {quote(operation.status, 40)})",
            remedy="Look the operation up in Reoclo's audit log, then run the job again.",
            operation_id=operation.operation_id,
        )
    output = result.stderr or result.stdout
    ended = f"exit code {result.exit_code}, status {quote(operation.status, 40)}"
    return LoginFailed(
        f"The login to {registry_url} on {server} failed ({ended})",
        said=quote(output),
        remedy=advice.on_docker(output).format(credential=source),
        operation_id=operation.operation_id,
    )


def _server(operation: Operation, otherwise: str) -> str:
    return f"server {quote(operation.server_name, 100)}" if operation.server_name else otherwise
