"""Log of a step, by the grammar of actions/runner (ActionCommand.cs, OutputManager.cs).

tests/unit/test_commands.py checks that the other runners find the same commands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

REGISTERED = {
    *("add-mask", "debug", "notice", "warning", "error", "group", "endgroup", "echo"),
    *("add-matcher", "remove-matcher", "stop-commands"),
    *("set-output", "save-state", "set-env", "add-path"),
}
_COLONS = re.compile(r"\s*::([^ :]+) ?(.*?)::(.*)")
_BRACKETS = re.compile(r"##\[([^ \]]+) ?([^\]]*)\](.*)")
# Name, unparsed properties, and data.
Command = tuple[str, str, str]


@dataclass(slots=True)
class Log:
    """What a runner makes of the output of a step.

    `shown` are the lines that a reader sees, `annotations` are pairs of level and message. With
    `is_act`, the last `::` of a line ends a command's name, so `::` cannot be in a masked value.
    """

    is_act: bool = False
    masks: set[str] = field(default_factory=set)
    shown: list[str] = field(default_factory=list)
    annotations: list[tuple[str, str]] = field(default_factory=list)

    def feed(self, output: str) -> None:
        """Add output of the step."""
        lines = re.split(r"\r\n|\n|\r", output)
        for line in lines if lines[-1] else lines[:-1]:
            command = parse_command(line)
            if command is None:
                self.shown.append(self._masked(line))
            else:
                self._run(command[0], command[2])

    def _run(self, name: str, data: str) -> None:
        if name == "add-mask" and not (self.is_act and "::" in data):
            self.masks |= {part.strip() for part in [data, *data.splitlines()] if part.strip()}
        elif name in {"notice", "warning", "error"}:
            self.annotations.append((name, self._masked(data)))
            self.shown.append(self._masked(f"{name.capitalize()}: {data}"))

    def _masked(self, line: str) -> str:
        for secret in sorted(self.masks, key=len, reverse=True):
            line = line.replace(secret, "***")
        return line


def parse_command(line: str) -> Command | None:
    """Parse a line; None for plain text."""
    colons = _COLONS.match(line)
    found = colons if colons and colons[1].lower() in REGISTERED else _BRACKETS.search(line)
    if not found or found[1].lower() not in REGISTERED:
        return None
    data = found[3].replace("%0D", "\r").replace("%0A", "\n")
    if found is not colons:
        data = data.replace("%3B", ";").replace("%5D", "]")
    return found[1].lower(), found[2], data.replace("%25", "%")
