"""Command files: what a step wrote to GITHUB_OUTPUT and GITHUB_STATE.

This is what the grammars of GitHub, act, Gitea and Forgejo share for lines that are neither empty
nor long and have no CR. The action writes no others (tests/e2e/test_job.py).
"""

from __future__ import annotations

from collections.abc import Iterator


def parse(content: str) -> dict[str, str]:
    """Return the entries of a command file; the last one of each name counts.

    Raises:
        ValueError: A line is invalid, so that the runner fails the step.
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
        entries[name] = value
    return entries


def _heredoc(lines: Iterator[str], delimiter: str) -> Iterator[str]:
    for line in lines:
        if line == delimiter:
            return
        yield line
    raise ValueError(f"Missing delimiter '{delimiter}'")
