"""Command files: what a step wrote to GITHUB_OUTPUT and GITHUB_STATE.

As in actions/runner, src/Runner.Worker/FileCommandManager.cs (EnvFileKeyValuePairs), on Linux,
and as in nektos/act, pkg/container/parse_env_file.go, and what Gitea and Forgejo made of that.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

# Forgejo's runner reads no line that is longer (Go's bufio.Scanner), nor any line after it.
_LONGEST_OF_FORGEJO = 64 * 1024


class FileCommandError(Exception):
    """A line is not in the grammar. The entries before it count all the same."""

    def __init__(self, message: str, entries: dict[str, str]) -> None:
        super().__init__(message)
        self.entries = entries


def parse(content: str) -> dict[str, str]:
    """Read the entries of a command file; of two with one name the later one counts.

    Raises:
        FileCommandError: a line is malformed.
    """
    entries: dict[str, str] = {}
    lines = content.removeprefix("\ufeff").split("\n")
    if lines[-1] == "":
        lines.pop()  # the last line has its newline
    position = 0
    while position < len(lines):
        line = lines[position]
        position += 1
        if not line:
            continue
        equals, heredoc = line.find("="), line.find("<<")
        if equals >= 0 and (heredoc < 0 or equals < heredoc):
            entries[line[:equals]] = line[equals + 1 :]
        elif heredoc > 0 and line[heredoc + 2 :]:
            delimiter = line[heredoc + 2 :]
            if delimiter not in lines[position:]:
                raise FileCommandError(f"Matching delimiter not found '{delimiter}'", entries)
            end = lines.index(delimiter, position)
            entries[line[:heredoc]] = "\n".join(lines[position:end])
            position = end + 1
        else:
            raise FileCommandError(f"Invalid format '{line}'", entries)
    return entries


def parse_act(content: str) -> dict[str, str]:
    """Read a command file as act does.

    Raises:
        FileCommandError: a line is malformed, an empty one too. Then no entry counts.
    """
    return _parse_go(_lines(content.removeprefix("\ufeff")))


def parse_gitea(content: str) -> dict[str, str]:
    """Read a command file as Gitea's runner does: as act, but lines of spaces may be there.

    Raises:
        FileCommandError: a line is malformed. Then no entry counts.
    """
    return _parse_go(_lines(content.removeprefix("\ufeff")), skips_blank=True)


def parse_forgejo(content: str) -> dict[str, str]:
    """Read a command file as Forgejo's runner does: as act, up to a line that is too long.

    Raises:
        FileCommandError: a line is malformed, an empty one too. Then no entry counts.
    """
    read = takewhile(lambda line: len(line) < _LONGEST_OF_FORGEJO, _lines(content))
    return _parse_go(list(read))


def _lines(content: str) -> list[str]:
    lines = [line.removesuffix("\r") for line in content.split("\n")]
    return lines[:-1] if lines[-1] == "" else lines


def _parse_go(lines: list[str], *, skips_blank: bool = False) -> dict[str, str]:
    entries: dict[str, str] = {}
    left = iter(lines)
    for line in left:
        equals, heredoc = line.find("="), line.find("<<")
        if skips_blank and not line.strip():
            continue
        if equals >= 0 and (heredoc < 0 or equals < heredoc):
            entries[line[:equals]] = line[equals + 1 :]
        elif heredoc >= 0:
            entries[line[:heredoc]] = _heredoc(left, line[heredoc + 2 :])
        else:
            raise FileCommandError(f"invalid format '{line}'", {})
    return entries


def _heredoc(lines: Iterator[str], delimiter: str) -> str:
    """Read a value up to its delimiter; empty lines at its beginning are lost."""
    value = ""
    for line in lines:
        if line == delimiter:
            return value
        value += f"\n{line}" if value else line
    raise FileCommandError(f"delimiter '{delimiter}' not found before end of file", {})
