"""Command files: how runners read what a step wrote to GITHUB_OUTPUT and GITHUB_STATE.

GitHub's grammar follows actions/runner (FileCommandManager.cs) on Linux; the others follow
nektos/act (parse_env_file.go) and what Gitea and Forgejo changed in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

# Forgejo's runner ignores a line of this length and every line after it (Go's bufio.Scanner).
_TOO_LONG_FOR_FORGEJO = 64 * 1024


def parse(content: str, runner: str = "github") -> dict[str, str]:
    """Return the entries of a command file; the last one of each name counts.

    Raises:
        ValueError: A line is invalid, so that the runner fails the step.
    """
    entries: dict[str, str] = {}
    is_github = runner == "github"
    text = content if runner == "forgejo" else content.removeprefix("\ufeff")
    lines = iter(text.removesuffix("\n").split("\n") if text else [])
    if not is_github:
        lines = (line.removesuffix("\r") for line in lines)
    if runner == "forgejo":
        lines = takewhile(lambda line: len(line) < _TOO_LONG_FOR_FORGEJO, lines)
    for line in lines:
        if (is_github and not line) or (runner == "gitea" and not line.strip()):
            continue
        name, separator, value = line.partition("=")
        if not separator or "<<" in name:
            name, separator, delimiter = line.partition("<<")
            is_valid = separator and (not is_github or (name and delimiter))
            heredoc = _heredoc(lines, delimiter, is_github=is_github) if is_valid else None
            if heredoc is None:
                raise ValueError(f"Invalid format '{line}'")
            value = heredoc
        entries[name] = value
    return entries


def _heredoc(lines: Iterator[str], delimiter: str, *, is_github: bool) -> str | None:
    """Return a value, or None if its delimiter is missing. Only GitHub keeps leading newlines."""
    value: list[str] = []
    for line in lines:
        if line == delimiter:
            return "\n".join(value)
        if line or value or is_github:
            value.append(line)
    return None
