"""The log of a step: which lines are commands, and what a reader sees of the others.

Read as in actions/runner, src/Runner.Common/ActionCommand.cs and
src/Runner.Worker/Handlers/OutputManager.cs, or by the grammar of another runner.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import quote

REGISTERED = frozenset(
    {
        *("add-mask", "debug", "notice", "warning", "error", "group", "endgroup", "echo"),
        *("add-matcher", "remove-matcher", "stop-commands"),
        *("set-output", "save-state", "set-env", "add-path"),
    }
)
_LINE_END = re.compile(r"\r\n|\n|\r")
_ANNOTATIONS = ("notice", "warning", "error")


Command = tuple[str, dict[str, str], str]


class Grammar(NamedTuple):
    """How a runner reads a log.

    Args:
        lines: Splits what a step wrote into lines, with their ends if those matter to `command`.
        command: Reads a line as a command: name, properties, data. None for plain text.
        mask: Reads a line as the text to hide. None for any other.
        forms: Gives the forms of some secrets in which they are hidden.
    """

    lines: Callable[[str], list[str]]
    command: Callable[[str], Command | None]
    mask: Callable[[str], str | None]
    forms: Callable[[set[str]], set[str]]


@dataclass(slots=True)
class Log:
    """What a step's output amounts to.

    Args:
        is_debug: Whether the user sees debug lines.
        masks: What is hidden from the reader.
        grammar: How the runner reads it; GitHub's way if none is given.
    """

    is_debug: bool = False
    masks: set[str] = field(default_factory=set)
    grammar: Grammar = field(default_factory=lambda: GITHUB)
    shown: list[str] = field(default_factory=list)
    annotations: list[tuple[str, str]] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    _resume: str = ""

    def feed(self, output: str) -> None:
        """Take what a step wrote."""
        for line in self.grammar.lines(output):
            self._take(line)

    def text(self) -> str:
        """Give what the reader sees."""
        return "\n".join(self.shown)

    def _take(self, line: str) -> None:
        if self._resume:
            if line.strip().lower() == f"::{self._resume}::".lower():
                self._resume = ""
            else:
                self._show(line)
            return
        masked = self.grammar.mask(line)
        if masked is not None:
            self.masks |= {part.strip() for part in [masked, *masked.splitlines()] if part.strip()}
        command = self.grammar.command(line)
        if command is None:
            self._show(line)
        else:
            self._obey(*command)

    def _obey(self, name: str, properties: dict[str, str], data: str) -> None:
        self.commands.append((name, properties, data))
        if name == "stop-commands":
            self._resume = data
        elif name in _ANNOTATIONS:
            self.annotations.append((name, self._masked(data)))
            self._show(f"{name.capitalize()}: {data}")
        elif name == "debug" and self.is_debug:
            self._show(f"##[debug]{data}")

    def _show(self, line: str) -> None:
        self.shown.append(self._masked(line.rstrip("\r\n")))

    def _masked(self, line: str) -> str:
        for secret in sorted(self.grammar.forms(self.masks), key=len, reverse=True):
            line = line.replace(secret, "***")
        return line


def parse_command(line: str) -> Command | None:
    """Read a line as a command: name, properties, data. None for plain text."""
    return _colons(line) or _brackets(line)


def encodings(secrets: set[str]) -> set[str]:
    """Give the forms of each secret that GitHub's runner masks as well (ValueEncoders.cs)."""
    found = set(secrets)
    for secret in secrets:
        raw = secret.encode()
        found |= {base64.b64encode(raw[start:]).decode() for start in range(min(3, len(raw)))}
        found |= {json.dumps(secret)[1:-1], quote(secret, safe="")}
    return {form for form in found if form}


def _lines(output: str) -> list[str]:
    lines = _LINE_END.split(output)
    return lines[:-1] if lines[-1] == "" else lines


def _mask(line: str) -> str | None:
    command = parse_command(line)
    return command[2] if command and command[0] == "add-mask" else None


GITHUB: Grammar = Grammar(_lines, parse_command, _mask, encodings)


def _colons(line: str) -> Command | None:
    stripped = line.lstrip()
    if not stripped.startswith("::"):
        return None
    head, separator, data = stripped[2:].partition("::")
    return _command(head, data, ",", {"%3A": ":", "%2C": ","}) if separator else None


def _brackets(line: str) -> Command | None:
    start = line.find("##[")
    if start < 0:
        return None
    head, separator, data = line[start + 3 :].partition("]")
    return _command(head, data, ";", {"%3B": ";", "%5D": "]"}) if separator else None


def _command(head: str, data: str, separator: str, escapes: dict[str, str]) -> Command | None:
    name, _, rest = head.partition(" ")
    if name.lower() not in REGISTERED:
        return None
    pairs = (part.partition("=") for part in rest.strip().split(separator) if "=" in part)
    properties = {key: _unescape(value, escapes) for key, _, value in pairs if value}
    return name.lower(), properties, _unescape(data, escapes if separator == ";" else {})


def _unescape(value: str, escapes: dict[str, str]) -> str:
    for escape, character in {"%0D": "\r", "%0A": "\n", **escapes, "%25": "%"}.items():
        value = value.replace(escape, character)
    return value
