"""The step's side of the runner: log, masks, outputs, state.

The only module that imports `actions_toolkit`, and the only one that writes. The toolkit
knows the grammar of commands and of command files; we open the files ourselves, since it
would find them in the process's environment and end lines as the system does, which the
runners of other systems take for a part of the value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from actions_toolkit.command import Command

from lib import redaction, text
from lib.environment import STATE_NAME
from lib.errors import RunnerError

_ESCAPED_LINE_END = re.compile("%(?=0[AD])")


class Workflow:
    """Speaks with the runner.

    Args:
        stream: Where log and commands go: the process's standard output.
        state_file: Takes state for post; None if the runner made none.
        output_file: Takes outputs; None if the runner made none.
        debug: Whether to write debug lines.
        is_act: Whether the runner reads commands as act does.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        state_file: Path | None,
        output_file: Path | None,
        debug: bool,
        is_act: bool = False,
    ) -> None:
        self._stream = stream
        self._state_file = state_file
        self._output_file = output_file
        self._debug = debug
        self._is_act = is_act
        self._secrets: list[str] = []

    def mask(self, secret: str) -> None:
        """Have the runner hide a secret, each line of it, and hide it in all we write."""
        for part in redaction.secret_parts(secret):
            self._secrets += redaction.spellings(part)
            for piece in redaction.maskable(part) if self._is_act else [part]:
                self._write(str(Command("add-mask", {}, piece)))

    def info(self, line: str) -> None:
        """Write a line to the log."""
        self._write(self._safe(line))

    def quotation(self, heading: str, said: str) -> None:
        """Write what a program said to the log, if it said anything, under a heading."""
        quoted = text.lines(redaction.scrub(said, self._secrets))
        for line in [heading, *(f"  | {line}" for line in quoted)] if quoted else []:
            self.info(line)

    def debug(self, line: str) -> None:
        """Write a line that is shown where the user asked the runner for such lines."""
        if self._debug:
            self._write(self._command("debug", line))

    def warning(self, message: str) -> None:
        """Annotate the run with a warning."""
        self._write(self._command("warning", message))

    def error(self, message: str) -> None:
        """Annotate the run with an error. It does not fail the step: the exit code does."""
        self._write(self._command("error", message))

    def set_outputs(self, outputs: Iterable[tuple[str, str]]) -> None:
        """Set outputs of the step.

        Raises:
            RunnerError: the runner gave no file for them, or it cannot be written.
        """
        for name, value in outputs:
            _append(self._output_file, "outputs (GITHUB_OUTPUT)", name, value)

    def save_state(self, value: str) -> None:
        """Save the one state entry for post; it replaces the entry saved before.

        Raises:
            RunnerError: the runner gave no file for it, or it cannot be written.
        """
        _append(self._state_file, "state (GITHUB_STATE)", STATE_NAME, value)

    def _command(self, name: str, message: str) -> str:
        # act may undo %25 before %0A, and so would find a line end in an escaped `%0A`.
        message = _ESCAPED_LINE_END.sub("% ", self._safe(message))
        return str(Command(name, {}, message))

    def _safe(self, message: str) -> str:
        return text.plain(redaction.scrub(message, self._secrets))

    def _write(self, line: str) -> None:
        # A log that nobody reads any more must not keep a server from being logged out.
        with suppress(OSError, ValueError):
            self._stream.write(line + "\n")
            self._stream.flush()


def _append(path: Path | None, purpose: str, name: str, value: str) -> None:
    """Append an entry to a command file in one write, so that a kill leaves all or nothing."""
    # Post writes to no such file, and this makes ids by a module that asks the platform.
    from actions_toolkit.file_command import prepare_key_value_message  # noqa: PLC0415

    entry = prepare_key_value_message(name, value).replace("\r\n", "\n") + "\n"
    try:
        if path is None:
            raise FileNotFoundError("the runner names no file")
        with path.open("ab", buffering=0) as file:
            file.write(entry.encode("utf-8"))
    except OSError as error:
        raise RunnerError(
            f"The runner's file for {purpose} cannot be written",
            said=error.strerror or str(error),
            remedy="Run this as a step of a workflow, on a runner whose disk has room.",
        ) from error
