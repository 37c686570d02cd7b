"""Command files: what a step wrote to GITHUB_OUTPUT and GITHUB_STATE.

Accepts only what the runners of GitHub, act, Gitea and Forgejo read alike.
"""

from __future__ import annotations

from collections.abc import Iterator

# Forgejo's runner ignores a line of this length and every line after it (Go's bufio.Scanner).
_TOO_LONG = 64 * 1024


def parse(content: str) -> dict[str, str]:
    """Return the entries of a command file; the last one of each name counts.

    Raises:
        ValueError: A line is invalid, or not the same for every runner.
    """
    entries: dict[str, str] = {}
    lines = iter(content.removesuffix("\n").split("\n") if content else [])
    for line in lines:
        name, separator, value = line.partition("=")
        if "<<" in name:
            name, _, delimiter = line.partition("<<")
            value = "\n".join(_heredoc(lines, delimiter))
        elif not separator:
            raise ValueError(f"Invalid format '{line}'")
        if "\r" in value or value.startswith("\n") or len(line + value) >= _TOO_LONG:
            raise ValueError(f"Not the same for every runner: '{line}'")
        entries[name] = value
    return entries


def _heredoc(lines: Iterator[str], delimiter: str) -> Iterator[str]:
    for line in lines:
        if line == delimiter:
            return
        yield line
    raise ValueError(f"Missing delimiter '{delimiter}'")
