"""Command files: what a step wrote to GITHUB_OUTPUT and GITHUB_STATE.

As in actions/runner, src/Runner.Worker/FileCommandManager.cs (EnvFileKeyValuePairs), on Linux.
"""

from __future__ import annotations


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
