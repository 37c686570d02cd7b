"""Sanitizing of foreign text for a runner's log.

A runner interprets some lines of a log as commands: `::name::` at the start of a line, and
`##[name]` anywhere in it, where a lone CR ends a line as well (actions/runner,
src/Runner.Common/ActionCommand.cs). So nothing is printed before it was sanitized here.
"""

import re

STREAM_LIMIT = 64 * 1024  # characters that are enough to see what went wrong
EXCERPT_LIMIT = 600  # characters in an annotation, which runners truncate at 4,096

# The HTML page of a proxy, which Docker's messages include.
_PAGE = re.compile(
    r"(?is)<(?:!doctype|html|head|body|title|center|div|form|h[1-6]|p|pre|script)\b.*"
)
_TERMINAL_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\))")
# Printable to Python, but invisible, and ignored by the comparisons of GitHub's runner
# (Unicode's Default_Ignorable_Code_Point without those that are not printable anyway).
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def sanitize(text: str) -> str:
    """Return one printable line without a workflow command for any runner.

    Line ends, control characters and invisible characters become spaces. No line starts with
    a colon, because act would read `::error::` + `:` as a command.
    """
    visible = _INVISIBLE.sub(" ", strip_escapes(text))
    visible = "".join(c if c.isprintable() else " " for c in visible)
    return re.sub(r"^:|(?<=:):", " :", visible).replace("##[", "## [")


def excerpt(text: str, limit: int = EXCERPT_LIMIT) -> str:
    """Return redacted text as one sanitized line of at most `limit` characters."""
    text = _PAGE.sub("(HTML page)", text[: 8 * limit])
    line = " ".join(sanitize(text).split())
    return line if len(line) <= limit else line[:limit].rstrip() + "…"


def sanitize_lines(text: str) -> list[str]:
    """Return the sanitized lines of redacted text. Its end is kept, where errors are."""
    kept = text[-STREAM_LIMIT:]
    lines = [sanitize(line).rstrip() for line in kept.rstrip().splitlines()]
    return lines if len(kept) == len(text) else ["… (truncated)", *lines]


def strip_escapes(text: str) -> str:
    """Remove ANSI escapes, without forming a new escape from the surrounding text."""
    return _TERMINAL_ESCAPE.sub("", text).replace("\x1b", " ")
