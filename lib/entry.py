"""The three steps, put together. The only place where an error becomes an exit code.

What not every step needs is imported where it is needed: it takes most of a step's time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TextIO

from lib import CANCELED, FAILED, SUCCEEDED
from lib.environment import Environment
from lib.errors import ActionError
from lib.process import (
    EXIT_CANCELLED,
    EXIT_FAILURE,
    EXIT_SUCCESS,
    Cancellation,
    Cancelled,
    SystemClock,
    ignore_signals,
    kept_to_the_end,
)
from lib.workflow import Workflow

if TYPE_CHECKING:
    from ssl import SSLContext

    from lib.client import Client
    from lib.clock import Clock


def _reported(code: int, variables: Mapping[str, str]) -> int:
    """Map the step's exit code to what the launcher expects."""
    if not variables.get("DOCKER_AUTH_EXIT_CODES"):
        return code
    codes = {EXIT_SUCCESS: SUCCEEDED, EXIT_FAILURE: FAILED, EXIT_CANCELLED: CANCELED}
    return codes[code]


def main(variables: Mapping[str, str], stream: TextIO) -> int:
    """Run the main step.

    Args:
        variables: The environment.
        stream: Standard output.

    Returns:
        0 if the server is logged in, 1 if it is not, 130 if the step was cancelled.
    """

    def step(environment: Environment, workflow: Workflow, cancellation: Cancellation) -> None:
        from lib.inputs import read_inputs
        from lib.login import log_in

        inputs = read_inputs(environment)
        log_in(
            inputs,
            is_composite=environment.is_composite(),
            client=_connect(inputs.api_url, inputs.api_key, environment, workflow, cancellation),
            workflow=workflow,
            cancellation=cancellation,
        )

    return _reported(
        _cancellable(
            step, variables, stream, cancelled="The post step looks after a login that was begun."
        ),
        variables,
    )


def logout(variables: Mapping[str, str], stream: TextIO) -> int:
    """Run the step of the action that only logs out.

    Args:
        variables: The environment.
        stream: Standard output.

    Returns:
        0 if the server is logged out, 1 if it may not be, 130 if the step was cancelled.
    """

    def step(environment: Environment, workflow: Workflow, cancellation: Cancellation) -> None:
        from lib.inputs import read_logout_inputs
        from lib.logout import log_out_alone

        inputs = read_logout_inputs(environment)
        log_out_alone(
            inputs.logout,
            client=_connect(inputs.api_url, inputs.api_key, environment, workflow, cancellation),
            workflow=workflow,
            clock=cancellation,
        )

    return _reported(
        _cancellable(step, variables, stream, cancelled="The server may still be logged in."),
        variables,
    )


def post(variables: Mapping[str, str], stream: TextIO) -> int:
    """Run the post step. It never fails the job.

    Args:
        variables: The environment.
        stream: Standard output.

    Returns:
        0, always.
    """
    ignore_signals()
    environment = Environment(variables)
    workflow = _workflow(environment, stream)
    clock = SystemClock()

    def step() -> None:
        from lib.logout import log_out

        _mask(environment, workflow)
        log_out(
            environment.saved_state(),
            environment.input("api_key"),
            connect=lambda url, key: _connect(url, key, environment, workflow, clock),
            workflow=workflow,
            clock=clock,
        )

    return _reported(
        _exit_code(step, workflow, report=workflow.warning, failure=EXIT_SUCCESS), variables
    )


def _cancellable(
    step: Callable[[Environment, Workflow, Cancellation], None],
    variables: Mapping[str, str],
    stream: TextIO,
    *,
    cancelled: str,
) -> int:
    """Run a step that fails the job when it fails, and that ends when it is cancelled."""
    environment = Environment(variables)
    workflow = _workflow(environment, stream)
    cancellation = Cancellation(environment.launcher())

    def run() -> None:
        with cancellation.on_signals():
            _mask(environment, workflow)
            step(environment, workflow, cancellation)

    try:
        return _exit_code(run, workflow, report=workflow.error, failure=EXIT_FAILURE)
    except Cancelled:
        workflow.info(f"Cancelled. {cancelled}")
        return EXIT_CANCELLED


def _mask(environment: Environment, workflow: Workflow) -> None:
    """Have the runner hide the secrets, before anything else is said."""
    for secret in environment.secrets():
        workflow.mask(secret)


def _workflow(environment: Environment, stream: TextIO) -> Workflow:
    return Workflow(
        stream,
        state_file=environment.state_file(),
        output_file=environment.output_file(),
        debug=environment.is_debug(),
        is_act=environment.is_act(),
    )


def _connect(
    api_url: str, api_key: str, environment: Environment, workflow: Workflow, clock: Clock
) -> Client:
    with kept_to_the_end():
        # `requests` takes a tenth of a second, or two where there is no bytecode.
        from lib.client import Client
        from lib.transport import Transport, open_session

        session = open_session(api_key, _tls(api_url, environment, workflow))
    return Client(
        Transport(api_url, session, [api_key, *environment.secrets()]),
        environment.run(),
        clock,
        info=workflow.info,
        debug=workflow.debug,
    )


def _tls(api_url: str, environment: Environment, workflow: Workflow) -> SSLContext | None:
    """Open the context for https; plain http, which is for this machine alone, needs none."""
    if not api_url.lower().startswith("https:"):
        return None
    from lib.trust import open_context

    return open_context(environment.ca_paths(), workflow.info)


def _exit_code(
    step: Callable[[], None], workflow: Workflow, *, report: Callable[[str], None], failure: int
) -> int:
    """Run a step, report what went wrong in one annotation, and give the exit code."""
    try:
        step()
    except ActionError as error:
        report(str(error))
        if error.is_bug:
            _trace(workflow)
        return failure
    except Exception:  # noqa: BLE001 the one place that may
        report(
            "The action itself failed. Run the job again with debug logging on, and report the "
            "log at https://github.com/reoclo/docker-auth/issues."
        )
        _trace(workflow)
        return failure
    return EXIT_SUCCESS


def _trace(workflow: Workflow) -> None:
    import traceback

    for line in traceback.format_exc().splitlines():
        workflow.debug(line)
