"""Text as an attacker would write it, and the commands that any runner would find in a log."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hypothesis import strategies as st

from tests.runner.log import Log

LINE_ENDS = ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
TERMINAL = [
    *("\x1b[0m", "\x1b[31;1m", "\x1b[2J", "\x1b[", "\x1b]0;title\x07", "\x1b]8;;x\x1b\\", "\x1b]"),
    *("\x1bPq\x1b\\", "\x1bP", "\x1b_x\x1b\\", "\x1bc", "\x1b", "\x07", "\x08", "\x00", "\x7f"),
    *("\x9b31m", "\x9d0;x\x9c", "\x90", "\x9c"),
]
INVISIBLE = [
    *("\u00ad", "\u034f", "\u061c", "\u115f", "\u17b4", "\u180e", "\u200b", "\u200d", "\u202e"),
    *("\u2060", "\u2066", "\u3164", "\ufe00", "\ufe0f", "\ufeff", "\uffa0", "\U000e0001"),
    *("\U000e0100", "\ud800", "\udfff"),
]
GRAMMAR = [
    *(":", "::", ":::", "#", "##", "##[", "[", "]", "=", ",", ";", " ", "%", "%0A", "%0D", "%25"),
    *("error", "warning", "debug", "group", "add-mask", "stop-commands", "echo", "add-matcher"),
    *("set-output name=x", "save-state name=login", "set-env name=PATH", "::error::", "##[error]"),
    *("::stop-commands::token", "::add-mask::e", "<html>", "<<", "EOF", "login<<x", "token", "a"),
]

FRAGMENTS = [*LINE_ENDS, *TERMINAL, *INVISIBLE, *GRAMMAR]
# Any character, those included that no encoding knows.
_ANYTHING = st.text(st.characters(), max_size=4)

texts = st.lists(st.sampled_from(FRAGMENTS) | _ANYTHING, max_size=24).map("".join)

_IGNORED = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)


def commands(output: str) -> list[tuple[str, str]]:
    """Give what each grammar finds in a log, one list for all that agree.

    Raises:
        AssertionError: they do not agree, so that one obeys what another does not.
    """
    readings: list[list[tuple[str, str]]] = [
        _by_github(output),
        # Its comparisons follow a culture's rules, which pass over what is not seen.
        _by_github(_IGNORED.sub("", output)),
        list(_by_act(output)),
        list(_by_reporter(output)),
    ]
    assert all(reading == readings[0] for reading in readings), readings
    return readings[0]


def _by_github(output: str) -> list[tuple[str, str]]:
    log = Log()
    log.feed(output)
    assert all(not properties for _, properties, _ in log.commands)
    return [(name, data) for name, _, data in log.commands]


# act is greedy, looks at the first column only, and ignores a line without an end.
_ACT = re.compile(r"^(?:::([^ ]+)(?: .+)?::|##\[([^ ]+)(?: .+)?\])([^\r\n]*)[\r\n]+$")
_REPORTER = re.compile(r"^::([^ :]+)(?: [^:]*)?::(.*)$")


def _by_act(output: str) -> Iterator[tuple[str, str]]:
    """Yield the commands that act finds, known to it or not."""
    for found in map(_ACT.match, re.findall(r"[^\n]*\n", output)):
        if found:
            yield found[1] or found[2], _unescape(found[3])


def _by_reporter(output: str) -> Iterator[tuple[str, str]]:
    """Yield the commands that the log reporters of Gitea and Forgejo find."""
    for found in map(_REPORTER.match, re.split(r"\r\n|\n|\r", output)):
        if found:
            yield found[1], _unescape(found[2])


def _unescape(data: str) -> str:
    return data.replace("%25", "%").replace("%0D", "\r").replace("%0A", "\n")
