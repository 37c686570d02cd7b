"""Log lines, workflow commands and command files, whose text is redacted and sanitized here.

The only module that writes, and that imports `actions_toolkit`, for the grammar. The files are
opened here, because the toolkit reads their paths from the process's environment and ends lines
with `os.linesep`, which runners on other systems read as part of the value.
"""

import errno
import os
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from actions_toolkit.command import Command

from lib import hints
from lib.errors import ActionError, RunnerError
from lib.runner import redaction, sanitize

_ESCAPED_LINE_END = re.compile("%(?=0[AD])")
# A FIFO must not block, and Windows must not convert line ends.
_SAFELY = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | _SAFELY


class Runner:
    """The runner's side of a step: log, annotations, outputs and state.

    The API key must not appear in an output or in the state. `is_act` is whether the runner parses
    commands as act does. `append` is that of the simulation, which has its own files.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        state_file: Path | None,
        output_file: Path | None,
        api_key: str,
        debug: bool,
        is_act: bool = False,
        append: Callable[[Path, bytes], None] | None = None,
    ) -> None:
        self._stream, self._state_file, self._output_file = stream, state_file, output_file
        self._api_key, self._debug, self._is_act = api_key, debug, is_act
        self._append = append or append_whole
        self._state_size = _size(state_file)
        self._forms: set[str] = set()

    def mask(self, secret: str) -> None:
        """Mask a secret in the runner's log and redact it from everything this process writes."""
        for line in redaction.secret_lines(secret):
            self._forms |= redaction.encoded_forms(line)
            for piece in redaction.split_for_act(line) if self._is_act else [line]:
                self._write(str(Command("add-mask", {}, piece)))

    def info(self, line: str) -> None:
        """Write a log line."""
        self._write(self._clean(line))

    def output_block(self, heading: str, text: str) -> None:
        """Write a program's output to the log under a heading, if there is any."""
        lines = sanitize.sanitize_lines(redaction.redact(text, self._forms))
        for line in [heading, *(f"  | {line}" for line in lines)] if lines else []:
            self.info(line)

    def debug(self, line: str) -> None:
        """Write a debug line, if debug logging is enabled."""
        if self._debug:
            self._command("debug", line)

    def error(self, error: ActionError) -> None:
        """Write an error annotation. The exit code, not the annotation, fails the step."""
        self._annotate("error", error)

    def warning(self, error: ActionError) -> None:
        """Write a warning annotation."""
        self._annotate("warning", error)

    def set_outputs(self, outputs: Iterable[tuple[str, str]]) -> None:
        """Set step outputs, or raise `RunnerError`."""
        for name, value in outputs:
            self._refuse_key(value)
            self._save(self._output_file, "output file (GITHUB_OUTPUT)", name, value)

    def save_state(self, name: str, value: str, *, without_key: str | None = None) -> None:
        """Save state for post, or raise `RunnerError`. `without_key` omits the state's own key."""
        self._refuse_key(value if without_key is None else without_key)
        self._save(self._state_file, "state file (GITHUB_STATE)", name, value)

    def _save(self, path: Path | None, purpose: str, name: str, value: str) -> None:
        # Post writes to no such file, and this import creates ids with a module that is slow.
        from actions_toolkit.file_command import prepare_key_value_message  # noqa: PLC0415

        entry = prepare_key_value_message(name, value).replace("\r\n", "\n") + "\n"
        try:
            if path is None:
                raise FileNotFoundError(errno.ENOENT, "the runner provides no file")
            self._append(path, entry.encode("utf-8"))
        except OSError as error:
            summary, detail = f"Cannot write the runner's {purpose}", error.strerror or str(error)
            raise RunnerError(summary, detail=detail, hint=hints.RUNNER_FILES) from error

    def withdraw_state(self) -> None:
        """Remove what this process saved for post. This needs no room on the disk."""
        if self._state_file:
            with suppress(OSError):
                os.truncate(self._state_file, self._state_size)

    def _annotate(self, level: str, error: ActionError) -> None:
        self._command(level, error.message(self._excerpt))
        self.info(f"Troubleshooting: {error.hint.link}")

    def _command(self, name: str, message: str) -> None:
        # act may unescape %25 before %0A, and would find a line end in an escaped `%0A`.
        message = _ESCAPED_LINE_END.sub("% ", self._clean(message))
        self._write(str(Command(name, {}, message)))

    def _excerpt(self, text: str) -> str:
        return sanitize.excerpt(redaction.redact(text, self._forms))

    def _clean(self, line: str) -> str:
        return sanitize.sanitize(redaction.redact(line, self._forms))

    def _refuse_key(self, value: str) -> None:
        if self._api_key and self._api_key in value:
            summary = "The response contains the API key, so the action did not save it"
            raise RunnerError(summary, hint=hints.UNEXPECTED_RESPONSE)

    def _write(self, line: str) -> None:
        # A closed log must not prevent the logout.
        with suppress(OSError, ValueError):
            self._stream.write(line + "\n")
            self._stream.flush()


def _size(path: Path | None) -> int:
    try:
        return path.stat().st_size if path else 0
    except OSError:
        return 0


def append_whole(path: Path, data: bytes, *, flags: int = 0) -> None:
    """Append data in one write, so that a kill leaves all or nothing, or raise OSError."""
    descriptor = os.open(path, _FLAGS | flags, 0o600)  # a new file is for its owner only
    try:
        size = os.fstat(descriptor).st_size
        written = os.write(descriptor, data)
        if written != len(data):
            os.ftruncate(descriptor, size)  # full disk, or file size limit
            raise OSError(errno.ENOSPC, "no space left on device")
    finally:
        os.close(descriptor)
