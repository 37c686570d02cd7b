"""Wires a step. The only place where errors become annotations and exit codes.

What not every step needs is imported where it is needed, because imports take most of a step's
time. A module of the standard library that cannot be imported ends the step before any request,
with a code that makes the launcher try the next Python.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TextIO

from lib import CANCELED, FAILED, SUCCEEDED, UNUSABLE, hints, processes
from lib.cancellation import Canceled, Cancellation, ignore_signals
from lib.deadline import Clock, SystemClock
from lib.errors import ActionError, RunnerError
from lib.runner.commands import Runner
from lib.runner.environment import Environment
from lib.stop_file import StepFiles

if TYPE_CHECKING:
    from lib.api.client import Client
    from lib.api.connection import Limits
    from lib.login import UnsavedLogin
    from lib.state import LoginState

# Exit codes without the launcher, by its own.
_SHELL_CODES = {SUCCEEDED: 0, FAILED: 1, CANCELED: 130, UNUSABLE: 1}
# What post keeps of the launcher's time limit to exit.
_EXIT_SECONDS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What a step waits on. Tests wait less.

    Args:
        cancellation: Returns the clock of a step that can be canceled.
        clock: Clock of post.
        limits: Time limits of an attempt; None for those of `lib.api.connection`.
    """

    cancellation: Callable[[Callable[[], bool]], Cancellation] = Cancellation
    clock: Clock = SystemClock()  # noqa: RUF009 it has no state
    limits: Limits | None = None


_REAL_TIME = Timing()


def main(variables: Mapping[str, str], stream: TextIO, timing: Timing = _REAL_TIME) -> int:
    """Run the main step.

    Args:
        variables: Environment variables.
        stream: Standard output.
        timing: What to wait on.

    Returns:
        The exit code: success if the server is logged in.
    """

    def step(environment: Environment, runner: Runner, cancellation: Cancellation) -> None:
        from lib.inputs import read_login_inputs
        from lib.login import UnsavedLogin, log_in

        inputs = read_login_inputs(environment)
        client = _connect(
            inputs.api_url,
            inputs.api_key,
            environment,
            runner,
            cancellation,
            limits=timing.limits,
        )
        key = inputs.api_key if environment.is_composite() else ""
        files = _step_files(environment)
        try:
            log_in(
                inputs,
                _new_state(environment, key),
                client=client,
                runner=runner,
                files=files,
                cancellation=cancellation,
            )
        except UnsavedLogin as error:
            raise _clean_up_unsaved(error, client, runner, files, cancellation) from error

    return _run_cancelable(
        step,
        variables,
        stream,
        timing,
        canceled="The post step will clean up the login if it was started.",
    )


def logout(variables: Mapping[str, str], stream: TextIO, timing: Timing = _REAL_TIME) -> int:
    """Run the step of the logout action.

    Args:
        variables: Environment variables.
        stream: Standard output.
        timing: What to wait on.

    Returns:
        The exit code: success if the server is logged out.
    """

    def step(environment: Environment, runner: Runner, cancellation: Cancellation) -> None:
        from lib.inputs import read_logout_inputs
        from lib.logout import log_out_alone

        inputs = read_logout_inputs(environment)
        client = _connect(
            inputs.api_url,
            inputs.api_key,
            environment,
            runner,
            cancellation,
            limits=timing.limits,
        )
        log_out_alone(inputs.request, client=client, runner=runner, clock=cancellation)

    return _run_cancelable(
        step, variables, stream, timing, canceled="The server may still be logged in."
    )


def post(variables: Mapping[str, str], stream: TextIO, timing: Timing = _REAL_TIME) -> int:
    """Run the post step. It never fails the job.

    Args:
        variables: Environment variables.
        stream: Standard output.
        timing: What to wait on.

    Returns:
        The exit code of success, or the one that makes the launcher try the next Python.
    """
    ignore_signals()
    environment = Environment(variables)
    runner = _runner(environment, stream)
    clock = timing.clock

    def step() -> None:
        from lib.inputs import read_api_url
        from lib.logout import POST_SECONDS, log_out
        from lib.state import STATE_NAME

        _mask(environment, runner)
        left = environment.seconds_left()
        log_out(
            environment.saved_state(STATE_NAME),
            environment.input("api_key"),
            own_api_url=lambda: read_api_url(environment),
            connect=lambda url, key: _connect(
                url, key, environment, runner, clock, limits=timing.limits
            ),
            is_running=processes.is_running,
            files=_step_files(environment),
            runner=runner,
            clock=clock,
            seconds=POST_SECONDS if left is None else min(POST_SECONDS, left - _EXIT_SECONDS),
        )

    code = _run(step, runner, report=runner.warning)
    return _exit_code(SUCCEEDED if code == FAILED else code, environment)


def _run_cancelable(
    step: Callable[[Environment, Runner, Cancellation], None],
    variables: Mapping[str, str],
    stream: TextIO,
    timing: Timing,
    *,
    canceled: str,
) -> int:
    """Run a step that fails the job if it fails, and that can be canceled."""
    environment = Environment(variables)
    runner = _runner(environment, stream)
    cancellation = timing.cancellation(_abandoned(environment))

    def run() -> None:
        with cancellation.handle_signals():
            _mask(environment, runner)
            step(environment, runner, cancellation)

    try:
        code = _run(run, runner, report=runner.error)
    except Canceled:
        runner.info(f"Canceled. {canceled}")
        code = CANCELED
    return _exit_code(code, environment)


def _run(step: Callable[[], None], runner: Runner, *, report: Callable[[ActionError], None]) -> int:
    """Run a step, report an error in one annotation, and return the launcher's exit code."""
    try:
        step()
    except ActionError as error:
        report(error)
        _log_traceback(runner)
        return FAILED
    except ImportError as error:
        runner.debug(f"This Python lacks a module: {error}")
        return UNUSABLE
    except Exception:  # noqa: BLE001 the one place that may
        report(ActionError("Internal error in reoclo/docker-auth", hint=hints.INTERNAL_ERROR))
        _log_traceback(runner)
        return FAILED
    return SUCCEEDED


def _exit_code(code: int, environment: Environment) -> int:
    return code if environment.wants_own_exit_codes() else _SHELL_CODES[code]


def _abandoned(environment: Environment) -> Callable[[], bool]:
    """Return a check for whether the runner has moved on without this step."""
    files = _step_files(environment)
    pid = environment.launcher_pid()
    namespace = environment.launcher_namespace()
    # Process ids of another PID namespace mean nothing here.
    is_visible = pid is not None and (not namespace or namespace == processes.pid_namespace())

    def is_abandoned() -> bool:
        if files.is_stopped():
            return True
        return is_visible and pid is not None and not processes.is_running(pid)

    return is_abandoned


def _new_state(environment: Environment, api_key: str) -> LoginState:
    from lib.state import LoginState, Stage

    return LoginState(
        stage=Stage.NONE,
        id=environment.login_id(),
        step=environment.step(),
        pid=os.getpid(),
        started=processes.start_time(os.getpid()),
        interpreter=sys.executable or "",
        api_key=api_key,
    )


def _clean_up_unsaved(
    error: UnsavedLogin, client: Client, runner: Runner, files: StepFiles, clock: Clock
) -> ActionError:
    """Log out of a login that post could not clean up, and return the error of the step."""
    from lib.logout import log_out_unsaved
    from lib.state import Stage

    try:
        log_out_unsaved(error.state, client=client, runner=runner, clock=clock)
        outcome = "the server was logged out"
        # Post reads this file too, and would otherwise warn about the registry.
        files.append_state(replace(error.state, stage=Stage.FAILED).encode())
    except ActionError as failure:
        files.append_state(error.state.encode())  # post tries again
        outcome = failure.headline[:1].lower() + failure.headline[1:]
    registry = error.state.registry_url or "an unknown registry"
    accepted = (
        f"The login to {registry} was accepted, and the post step cannot clean it up, so the "
        f"action logged out immediately: {outcome}."
    )
    return RunnerError(
        error.summary,
        detail=error.detail,
        hint=error.hint._replace(text=f"{accepted} {error.hint.text}"),
        operation_id=error.state.operation_id,
    )


def _mask(environment: Environment, runner: Runner) -> None:
    """Mask the secrets before anything else is logged."""
    for secret in environment.secrets():
        runner.mask(secret)


def _runner(environment: Environment, stream: TextIO) -> Runner:
    return Runner(
        stream,
        state_file=environment.state_file(),
        output_file=environment.output_file(),
        api_key=environment.input("api_key"),
        debug=environment.is_debug(),
        is_act=environment.is_act(),
    )


def _step_files(environment: Environment) -> StepFiles:
    file = environment.state_file()
    return StepFiles(file.parent if file else None, environment.step(), environment.login_id())


def _connect(
    api_url: str,
    api_key: str,
    environment: Environment,
    runner: Runner,
    clock: Clock,
    *,
    limits: Limits | None,
) -> Client:
    """Return a client. Imports requests, which takes a tenth of a second."""
    with _without_garbage_collection():
        from lib.api.client import Client
        from lib.api.connection import Limits
        from lib.api.transport import Transport, open_session

        tls = None
        if api_url.lower().startswith("https:"):  # plain http is for loopback addresses only
            from lib.api.tls import create_context

            tls = create_context(environment.ca_paths(), runner.info)
        session = open_session(api_key, tls)
    return Client(
        Transport(api_url, session, clock, limits or Limits()),
        environment.run_context(),
        clock,
        info=runner.info,
        debug=runner.debug,
    )


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Collect no garbage in the block, and none of it later: it takes a tenth of a step."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _log_traceback(runner: Runner) -> None:
    import traceback

    for line in traceback.format_exc().splitlines():
        runner.debug(line)
