"""Wires a step. The only place where errors become annotations and exit codes.

Modules that only some steps need are imported in functions: imports take most of a step's time.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from lib import CANCELED, FAILED, SUCCEEDED, UNUSABLE, hints, processes
from lib.cancellation import Canceled, Cancellation
from lib.deadline import Deadline
from lib.errors import ActionError, RunnerError
from lib.runner.commands import Runner, append_whole
from lib.runner.environment import Environment
from lib.stop_file import StepFiles

if TYPE_CHECKING:
    from lib.api.client import Client, Sender
    from lib.api.connection import Limits
    from lib.api.transport import Transport
    from lib.login import UnsavedLogin
    from lib.state import LoginState

_SHELL_CODES = {SUCCEEDED: 0, FAILED: 1, CANCELED: 130, UNUSABLE: 1}  # without the launcher
_EXIT_SECONDS = 3.0  # what post keeps of the launcher's time limit to exit


class Step:
    """A step of the action, with what it needs from the runner and the system."""

    def __init__(
        self, variables: Mapping[str, str], stream: TextIO, system: System, *, can_be_canceled: bool
    ) -> None:
        environment = self.environment = Environment(variables)
        state_file = environment.state_file()
        self.system = system
        self.runner = Runner(
            stream,
            state_file=state_file,
            output_file=environment.output_file(),
            api_key=environment.input("api_key"),
            debug=environment.is_debug(),
            is_act=environment.is_act(),
            append=system.append,
        )
        folder = state_file.parent if state_file else None
        self.files = system.files(folder, environment.step(), environment.login_id())
        self.clock = system.clock(self._abandoned() if can_be_canceled else lambda: False)

    def mask_secrets(self) -> None:
        """Mask the secrets before anything else is logged."""
        for secret in self.environment.secrets():
            self.runner.mask(secret)

    def connect(self, api_url: str, api_key: str) -> Client:
        """Return a client for an API URL and a key."""
        transport = self.system.open_transport(self, api_url, api_key)
        from lib.api.client import Client

        context, runner = self.environment.run_context(), self.runner
        return Client(transport, context, self.clock, info=runner.info, debug=runner.debug)

    def _abandoned(self) -> Callable[[], bool]:
        """Return a check for whether the runner has moved on without this step."""
        files, environment = self.files, self.environment
        pid = environment.launcher_pid()
        is_foreign = environment.launcher_namespace() not in {"", processes.pid_namespace()}
        if is_foreign or os.name != "posix":
            pid = None  # a process of another PID namespace or of Windows cannot be observed
        return lambda: files.is_stopped() or (pid is not None and not processes.is_running(pid))

    def exit_code(self, code: int) -> int:
        """Return the exit code that the launcher or, without one, a shell expects."""
        return code if self.environment.wants_own_exit_codes() else _SHELL_CODES[code]


def open_transport(
    step: Step, api_url: str, api_key: str, limits: Limits | None = None
) -> Transport:
    """Return a transport. Imports requests, which takes a tenth of a second."""
    gc.disable()  # collecting garbage during the imports takes a tenth of a step
    try:
        from lib.api.connection import Limits
        from lib.api.transport import Transport, open_session

        tls = None
        if api_url.lower().startswith("https:"):  # plain http is for loopback addresses only
            from lib.api.tls import create_context

            tls = create_context(step.environment.ca_paths(), step.runner.info)
        session = open_session(api_key, tls)
    finally:
        gc.freeze()  # no later collection looks at what was imported
        gc.enable()
    return Transport(api_url, session, step.clock, limits or Limits())


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """System dependencies of a step. Tests replace some, the simulation nearly all."""

    clock: Callable[[Callable[[], bool]], Cancellation] = Cancellation
    open_transport: Callable[[Step, str, str], Sender] = open_transport
    files: Callable[[Path | None, str, str], StepFiles] = StepFiles
    append: Callable[[Path, bytes], None] = append_whole  # to a command file of the runner
    is_running: Callable[[int, str], bool] = processes.is_running


_SYSTEM = System()


def main(variables: Mapping[str, str], stream: TextIO, system: System = _SYSTEM) -> int:
    """Run the main step, and return its exit code: success if the server is logged in."""
    canceled = "Canceled. The post step will clean up the login if it was started."
    return _run_cancelable(_log_in, canceled, variables, stream, system)


def logout(variables: Mapping[str, str], stream: TextIO, system: System = _SYSTEM) -> int:
    """Run the logout action's step, and return its exit code: success if it logged out."""
    canceled = "Canceled. The server may still be logged in."
    return _run_cancelable(_log_out, canceled, variables, stream, system)


def post(variables: Mapping[str, str], stream: TextIO, system: System = _SYSTEM) -> int:
    """Run the post step, which never fails the job, and return its exit code, never FAILED."""
    step = Step(variables, stream, system, can_be_canceled=False)
    code = _run(lambda: _clean_up(step), step.runner, report=step.runner.warning)
    return step.exit_code(SUCCEEDED if code == FAILED else code)


def _run_cancelable(
    action: Callable[[Step], None],
    canceled: str,
    variables: Mapping[str, str],
    stream: TextIO,
    system: System,
) -> int:
    """Run a step that fails the job if it fails, and that can be canceled."""
    step = Step(variables, stream, system, can_be_canceled=True)

    def run() -> None:
        with step.clock.handle_signals():
            step.mask_secrets()
            action(step)

    try:
        code = _run(run, step.runner, report=step.runner.error)
    except Canceled:
        step.runner.info(canceled)
        code = CANCELED
    return step.exit_code(code)


def _run(run: Callable[[], None], runner: Runner, *, report: Callable[[ActionError], None]) -> int:
    """Run a step, report an error in one annotation, and return the launcher's exit code."""
    try:
        run()
    except ImportError as error:  # the launcher tries the next Python
        runner.debug(f"This Python lacks a module: {error}")
        return UNUSABLE
    except Exception as error:  # noqa: BLE001 the one place that may
        internal = ActionError("Internal error in reoclo/docker-auth", hint=hints.INTERNAL_ERROR)
        report(error if isinstance(error, ActionError) else internal)
        runner.debug_traceback()
        return FAILED
    return SUCCEEDED


def _log_in(step: Step) -> None:
    from lib.inputs import read_login_inputs
    from lib.login import UnsavedLogin, log_in

    inputs = read_login_inputs(step.environment)
    client = step.connect(inputs.api_url, inputs.api_key)
    state = _new_state(step.environment, inputs.api_key)
    try:
        log_in(
            inputs,
            state,
            client=client,
            runner=step.runner,
            files=step.files,
            cancellation=step.clock,
        )
    except UnsavedLogin as error:
        raise _clean_up_unsaved(error, client, step) from error


def _log_out(step: Step) -> None:
    from lib.inputs import read_logout_inputs
    from lib.logout import log_out_alone

    inputs = read_logout_inputs(step.environment)
    client = step.connect(inputs.api_url, inputs.api_key)
    log_out_alone(inputs.request, client=client, runner=step.runner, clock=step.clock)


def _clean_up(step: Step) -> None:
    from lib.logout import POST_SECONDS, log_out
    from lib.state import STATE_NAME

    def own_api_url() -> str:
        from lib.inputs import read_api_url

        return read_api_url(environment)

    step.mask_secrets()
    environment = step.environment
    left = environment.seconds_left()
    log_out(
        environment.saved_state(STATE_NAME),
        environment.input("api_key"),
        own_api_url=own_api_url,
        connect=step.connect,
        is_running=step.system.is_running,
        files=step.files,
        runner=step.runner,
        clock=step.clock,
        seconds=POST_SECONDS if left is None else min(POST_SECONDS, left - _EXIT_SECONDS),
    )


def _clean_up_unsaved(error: UnsavedLogin, client: Client, step: Step) -> ActionError:
    """Log out of a login that post could not clean up, and return the error of the step."""
    from lib.logout import UNSAVED_SECONDS, clean_up

    step.files.append_state(error.state.encode())  # for post, if the disk has room for that
    detail, fix = error.detail, error.hint.text
    try:
        deadline = Deadline(step.clock, UNSAVED_SECONDS)
        done = clean_up(error.state, lambda: client, step.runner, deadline)
        # Otherwise post would find the state saved before, and warn about the registry.
        step.runner.withdraw_state()
        step.files.remove_state()
    except ActionError as failure:
        done, fix = f"{failure.headline}.", failure.hint.text
        detail = "; ".join(filter(None, (error.detail, failure.detail)))
    registry = error.state.registry_url or "an unknown registry"
    cause = f"The login to {registry} was accepted, but the post step cannot clean it up, so the "
    hint = error.hint._replace(text=f"{cause}action did so immediately. {done} {fix}")
    operation_id = error.state.operation_id
    return RunnerError(error.summary, detail=detail, hint=hint, operation_id=operation_id)


def _new_state(environment: Environment, api_key: str) -> LoginState:
    from lib.state import LoginState, Stage

    return LoginState(
        stage=Stage.NONE,
        id=environment.login_id(),
        step=environment.step(),
        pid=os.getpid(),
        started=processes.start_time(os.getpid()),
        interpreter=sys.executable or "",
        api_key=api_key if environment.is_composite() else "",
    )
