"""Text from outside, made fit for the log of a runner.

A runner takes some lines of a log for commands: `::name::` at the start of a line, and
`##[name]` anywhere in it, where a lone CR ends a line as well (actions/runner,
src/Runner.Common/ActionCommand.cs). So nothing is printed before it has been here.
"""

from __future__ import annotations

import re

# A run of this many characters is enough of any stream to see what went wrong.
STREAM_LIMIT = 64 * 1024
# A quotation inside an annotation, which runners cut at 4,096 characters.
QUOTE_LIMIT = 600

_PAGE = re.compile(
    r"<(?:!doctype|html|head|body|title|center|div|form|h[1-6]|p|pre|script)\b.*",
    re.IGNORECASE | re.DOTALL,
)
_TERMINAL_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\))")
# Printable to Python, but seen by nobody, and passed over by the comparisons of GitHub's runner
# (Unicode's Default_Ignorable_Code_Point, without those that are not printable anyway).
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def plain(text: str) -> str:
    """Make one printable line of a text, with no command in it for any runner.

    Line ends, control characters and what is invisible become spaces; white space is not kept
    as it was. No line begins with a colon: after `::error::` act would read three of them.
    """
    visible = "".join(
        character if character.isprintable() else " "
        for character in _INVISIBLE.sub(" ", without_escapes(text))
    )
    return re.sub(r"^:|(?<=:):", " :", visible).replace("##[", "## [")


def quote(text: str, limit: int = QUOTE_LIMIT) -> str:
    """Make a bounded one-line quotation of a text.

    Args:
        text: What somebody else said.
        limit: The most characters of it to keep.
    """
    line = " ".join(plain(_without_page(text[: 2 * limit])).split())
    return line if len(line) <= limit else line[:limit].rstrip() + "…"


def _without_page(text: str) -> str:
    """Leave out the page of HTML that a text ends with: docker quotes those of proxies whole."""
    return _PAGE.sub("(a page of HTML)", text)


def lines(text: str, limit: int = STREAM_LIMIT) -> list[str]:
    """Split a text into plain lines, without empty ones at its end.

    Args:
        text: What a program wrote.
        limit: The most characters of it to keep; the end is kept, where errors are.
    """
    kept = text[-limit:]
    split = [plain(line).rstrip() for line in kept.rstrip().splitlines()]
    return split if len(kept) == len(text) else ["… (the beginning is left out)", *split]


def without_escapes(text: str) -> str:
    """Leave out what is meant for a terminal; no new escape comes of what stood around it."""
    return _TERMINAL_ESCAPE.sub("", text).replace("\x1b", " ")
