"""The two steps, put together. The only place where an error becomes an exit code."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TextIO

from lib.environment import Environment
from lib.errors import ActionError
from lib.inputs import read_inputs
from lib.login import log_in
from lib.logout import log_out
from lib.process import (
    EXIT_CANCELLED,
    EXIT_FAILURE,
    EXIT_SUCCESS,
    Cancellation,
    Cancelled,
    SystemClock,
    ignore_signals,
)
from lib.workflow import Workflow

if TYPE_CHECKING:
    from ssl import SSLContext

    from lib.client import Client
    from lib.clock import Clock


def main(variables: Mapping[str, str], stream: TextIO) -> int:
    """Run the main step.

    Args:
        variables: The environment.
        stream: Standard output.

    Returns:
        0 if the server is logged in, 1 if it is not, 130 if the step was cancelled.
    """
    environment = Environment(variables)
    workflow = _workflow(environment, stream)
    cancellation = Cancellation(environment.launcher())

    def step() -> None:
        workflow.mask(environment.input("api_key"))
        inputs = read_inputs(environment)
        log_in(
            inputs,
            is_composite=environment.is_composite(),
            client=_connect(inputs.api_url, inputs.api_key, environment, workflow, cancellation),
            workflow=workflow,
            cancellation=cancellation,
        )

    def cancellable_step() -> None:
        with cancellation.on_signals():
            step()

    return _exit_code(cancellable_step, workflow, report=workflow.error, failure=EXIT_FAILURE)


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
        api_key = environment.input("api_key")
        workflow.mask(api_key)
        log_out(
            environment.saved_state(),
            api_key,
            connect=lambda url, key: _connect(url, key, environment, workflow, clock),
            workflow=workflow,
            clock=clock,
        )

    return _exit_code(step, workflow, report=workflow.warning, failure=EXIT_SUCCESS)


def _workflow(environment: Environment, stream: TextIO) -> Workflow:
    return Workflow(
        stream,
        state_file=environment.state_file(),
        output_file=environment.output_file(),
        debug=environment.is_debug(),
    )


def _connect(
    api_url: str, api_key: str, environment: Environment, workflow: Workflow, clock: Clock
) -> Client:
    # Imported here because `requests` takes a fifth of a second: after the signals are
    # caught, and not at all for a post that has nothing to do.
    from lib.client import Client  # noqa: PLC0415
    from lib.transport import Transport, open_session  # noqa: PLC0415

    tls = _tls(api_url, environment, workflow)
    return Client(
        Transport(api_url, open_session(api_key, tls), api_key),
        environment.run(),
        clock,
        info=workflow.info,
        debug=workflow.debug,
    )


def _tls(api_url: str, environment: Environment, workflow: Workflow) -> SSLContext | None:
    """Open the context for https; plain http, which is for this machine alone, needs none."""
    if not api_url.lower().startswith("https:"):
        return None
    from lib.trust import open_context  # noqa: PLC0415 see _connect

    return open_context(environment.ca_paths(), workflow.info)


def _exit_code(
    step: Callable[[], None], workflow: Workflow, *, report: Callable[[str], None], failure: int
) -> int:
    """Run a step, report what went wrong in one annotation, and give the exit code."""
    try:
        step()
    except Cancelled:
        workflow.info("Cancelled. The post step looks after a login that was begun.")
        return EXIT_CANCELLED
    except ActionError as error:
        report(str(error))
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
    for line in traceback.format_exc().splitlines():
        workflow.debug(line)
