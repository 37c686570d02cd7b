"""Tests of lib.runner's commands, redaction and sanitize: the exact bytes that a runner reads."""

from __future__ import annotations

import io
import itertools
import json
import re
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lib.errors import ActionError, RunnerError
from lib.hints import TROUBLESHOOTING, Hint
from lib.runner.commands import Runner
from lib.runner.redaction import encoded_forms, redact, secret_lines
from lib.runner.sanitize import excerpt, sanitize, sanitize_lines
from tests.runner.log import parse_command

KEY = "rca_0123456789"
ENTRY = re.compile(r"(\w+)<<(ghadelimiter_[0-9a-f-]{36})\n(.*?)\n\2\n", re.DOTALL)
# Foreign text as an attacker would write it: line ends, terminal escapes, invisible characters,
# and the grammars of all runners.
FRAGMENTS = [
    *("\n", "\r", "\x0b", "\x85", "\u2028", "\x1b[0m", "\x1b[", "\x1b]0;t\x07", "\x1b]", "\x1b"),
    *("\x00", "\x9b31m", "\u00ad", "\u034f", "\u17b4", "\u200b", "\u3164", "\ufe0f", "\ud800"),
    *(":", "::", "#", "##", "##[", "[", "]", "=", " ", "%", "%0A", "%0D", "%25", "error", "a"),
    *("add-mask", "stop-commands", "set-env name=PATH", "::error::", "##[error]", "<html>"),
]
foreign = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=4), max_size=24).map("".join)

# GitHub's runner compares without what is not seen. act is greedy, looks at the first column
# only, and ignores a line without an end.
_IGNORED = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)
_ACT = re.compile(r"^(?:::([^ ]+)(?: .+)?::|##\[([^ ]+)(?: .+)?\]).*[\r\n]+$", re.MULTILINE)


def commands(output: str) -> list[tuple[str, str]]:
    """Return the commands that every runner finds in a log. They must agree."""
    by_github, visible = (
        [(found[0], found[2]) for found in map(parse_command, re.split("[\r\n]", text)) if found]
        for text in (output, _IGNORED.sub("", output))
    )
    by_act = map(_ACT.match, re.findall(r"[^\n]*\n", output))
    assert [found[1] or found[2] for found in by_act if found] == [name for name, _ in by_github]
    assert by_github == visible
    return by_github


def new_runner(
    file: Path | None = None, *, debug: bool = True, is_act: bool = False
) -> tuple[Runner, io.StringIO]:
    """Return the runner's side of a step, and its standard output."""
    log = io.StringIO()
    runner = Runner(log, state_file=file, output_file=file, api_key=KEY, debug=debug, is_act=is_act)
    return runner, log


def failed(summary: str, detail: str = "") -> ActionError:
    return ActionError(summary, hint=Hint("Fix it.", "anchor"), detail=detail)


def test_commands_follow_the_grammar_of_the_runner() -> None:
    runner, log = new_runner()
    runner.mask("rca_50%25\n\n  second-line \nab\n")
    runner.debug("100 %")
    runner.error(failed("50 %\nlost, no %0A, no %0D, but 100 %0B", "x" * 700))
    runner.output_block("Docker output:", "one\n::error::two\r##[group]three\n\n")
    assert log.getvalue().splitlines() == [
        "::add-mask::rca_50%2525", "::add-mask::second-line", "::debug::100 %25",
        # act unescapes %25 before %0A, and would find a line end in an escaped `%0A`.
        f"::error::50 %25 lost, no %25 0A, no %25 0D, but 100 %250B: {'x' * 600}…. Fix it.",
        f"Troubleshooting: {TROUBLESHOOTING}#anchor",
        "Docker output:", "  | one", "  |  : :error: :two", "  | ## [group]three",
    ]  # fmt: skip
    runner, log = new_runner(debug=False)
    runner.debug("x")
    runner.output_block("heading", "\n \n")
    assert log.getvalue() == ""
    log.close()
    runner.info("x")  # a closed log is no error


def test_secret_is_redacted_before_anything_is_truncated() -> None:
    runner, log = new_runner()
    runner.mask(KEY)
    for write in (runner.info, runner.debug, lambda text: runner.error(failed(text, text))):
        write(f"a {KEY}")
    runner.output_block(KEY, f"{KEY}{'x' * 65_530}")
    runner.error(failed("", f"{'x' * 596}{KEY}"))
    written = log.getvalue().partition("\n")[2]
    assert (KEY[-6:] in written, KEY[:4] in written, written.count("***")) == (False, False, 7)


@given(st.sampled_from(["debug", "warning", "error"]), foreign)
@example("error", ":x")
@example("error", "50 %0A::error::x")
@example("error", ":\x1b\x1b[0m[0m:error::x")
@example("error", "#\ufe0f#[error]x\ud800 ####[add-mask]x")
def test_foreign_text_is_no_command_for_any_runner(level: str, text: str) -> None:
    runner, log = new_runner(is_act=True)
    getattr(runner, level)(f"x{text}" if level == "debug" else failed("x", text))
    runner.output_block("Docker output:", text)
    runner.info(text)
    [(name, data)] = commands(log.getvalue())
    assert (name, data[0], data.isprintable()) == (level, "x", True)
    for line in [sanitize(text), excerpt(text), f"a:{excerpt(text)}:", *sanitize_lines(text)]:
        assert (commands(f"{line}\n"), line.isprintable()) == ([], True)


def test_secret_in_base64_is_redacted_at_any_alignment() -> None:
    secret = "rca_~~~???>>>0123456789"
    for before, encode in itertools.product(["", "x", "xy", "xyz"], [b64encode, urlsafe_b64encode]):
        redacted = redact(encode(f"{before}{secret} more".encode()).decode(), encoded_forms(secret))
        whole = encode(secret.encode()).decode()
        assert not any(whole[at : at + 8] in redacted for at in range(len(whole) - 8))


def test_secret_is_redacted_in_every_encoded_form() -> None:
    secret = 'rca_<a/b&"c"\\d\'e>é'
    html = "rca_&lt;a/b&amp;&quot;c&quot;\\d&#x27;e&gt;é"
    encoded = [secret, json.dumps(secret)[1:-1], html, quote(secret, safe=""), quote(secret)]
    assert [redact(f"a {t} b", encoded_forms(secret)) for t in encoded] == ["a *** b"] * 5
    assert encoded_forms("rca_\ud800")  # a lone surrogate is no error
    assert secret_lines("first\r\n  second \nabc\nabcd\n\n") == ["first", "second", "abcd"]
    assert (encoded_forms("rca_x"), encoded_forms("rc_&")) == ({"rca_x"}, {"rc_&", "rc_&amp;"})
    assert encoded_forms("rca_xy") == {"rca_xy", "cmNhX3h5"}
    assert redact("a rca_1 b rca_12 c rca_1", ["rca_1", "rca_12"]) == "a *** b *** c ***"


def test_secret_is_masked_for_any_runner_and_redacted_within_escapes() -> None:
    secret = ":rca_first::second:::ab::::third:fourth:"
    for is_act, pieces in ((True, ["rca_first", "second", "third:fourth:"]), (False, [secret])):
        runner, log = new_runner(is_act=is_act)
        runner.mask(secret)
        for noise in ("", "\x1b[31;1m", "\x1b]0;t\x07"):
            runner.info(noise.join(secret))
        assert log.getvalue().splitlines() == [*(f"::add-mask::{p}" for p in pieces), *["***"] * 3]
        runner.info("\x1b\x1b[0m[0m".join(secret))
        assert secret not in log.getvalue().splitlines()[-1]


def test_escapes_and_control_characters_are_replaced() -> None:
    ordinary = 'dénié: "拒否" [x] #1 <none>:<none>'
    lines = {
        "\x1b[1;31mError\x1b[0m: no": "Error: no", "a\x1b]8;;x\x07b\x1b]0;t\x1b\\c": "abc",
        "a\x1bb": "a b", "a\tb\x00c\u200bd\u3164e": "a b c d e", ":a::b": " :a: :b",
        "##[x": "## [x", "\x1b[0 qx": "x", ordinary: ordinary,
    }  # fmt: skip
    assert {text: sanitize(text) for text in lines} == lines


def test_excerpt_and_stream_have_their_limits() -> None:
    assert sanitize_lines("one  \n\ntwo\r\n\n\n") == ["one", "", "two"]
    assert sanitize_lines("x" * 65_536) == ["x" * 65_536]
    assert sanitize_lines("y" + "x" * 65_536) == ["… (truncated)", "x" * 65_536]
    assert excerpt("  one\n\n two\t three \r\n") == "one two three"
    assert (excerpt("x" * 600), excerpt("x" * 601)) == ("x" * 600, "x" * 600 + "…")
    assert excerpt("one two", 4) == "one…"
    assert (excerpt(" " * 320 + "x", 40), excerpt(" " * 319 + "x", 40)) == ("", "x")
    for page in ("<html><h1>no", "<!DOCTYPE html>\n<p>", "<HTML lang=en>", "<h3>"):
        assert excerpt(f"invalid '<': {page}no\nx") == "invalid '<': (HTML page)"


def test_entry_is_appended_unless_it_contains_the_key(tmp_path: Path) -> None:
    file = tmp_path / "file"
    runner, _ = new_runner(file)
    for value, without_key in ((KEY, None), ("x", KEY)):
        with pytest.raises(RunnerError, match="contains the API key"):
            runner.save_state("a", value, without_key=without_key)
    with pytest.raises(RunnerError):
        runner.set_outputs([("a", f"a{KEY}b")])
    runner.save_state("a", KEY, without_key="")
    runner.set_outputs([("a", "two ü\r\n\n::error::x")])
    names, delimiters, values = zip(*ENTRY.findall(file.read_bytes().decode()), strict=True)
    assert (names, values) == (("a", "a"), (KEY, "two ü\n\n::error::x"))
    assert (len({*delimiters}), file.stat().st_mode & 0o777) == (2, 0o600)


def test_error_without_a_system_text_is_shown() -> None:
    def append(_file: Path, _data: bytes) -> None:
        raise OSError("odd")

    runner = Runner(io.StringIO(), state_file=Path("s"), output_file=None, api_key=KEY, debug=False,
                    append=append)  # fmt: skip
    with pytest.raises(RunnerError) as caught:
        runner.save_state("a", "x")
    assert caught.value.detail == "odd"
