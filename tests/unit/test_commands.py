"""Tests of lib.runner.commands: the exact bytes that a runner reads."""

from __future__ import annotations

import errno
import io
import json
import re
import resource
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lib.errors import ActionError, RunnerError
from lib.hints import Hint
from lib.runner.commands import Runner, append_whole
from lib.runner.sanitize import EXCERPT_LIMIT, STREAM_LIMIT
from tests import hostile

KEY = "rca_0123456789"
ENTRY = re.compile(r"(\w+)<<(ghadelimiter_[0-9a-f-]{36})\n(.*?)\n\2\n", re.DOTALL)
MEGABYTES = 4 * 1024 * 1024
# No asterisk: the replacement of a secret must not form another secret.
secrets = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="*"),
    min_size=1,
    max_size=30,
).map("rca_{}".format)


class Log(io.StringIO):
    """Standard output of a step, with the runner that writes to it."""

    def __init__(self, *, debug: bool = True, is_act: bool = False, file: Path | None = None):  # noqa: ANN204
        super().__init__()
        self.runner = Runner(
            self, state_file=file, output_file=file, api_key=KEY, debug=debug, is_act=is_act
        )

    def lines(self) -> list[str]:
        return self.getvalue().splitlines()


def failed(summary: str, detail: str = "") -> ActionError:
    return ActionError(summary, hint=Hint("Fix it.", "anchor"), detail=detail)


def test_commands_follow_the_grammar_of_the_runner() -> None:
    log = Log()
    log.runner.mask("rca_50%25")
    log.runner.info("Going on.")
    log.runner.debug("100 %")
    log.runner.warning(failed("50 %\nlost"))
    log.runner.error(failed("no %0A, no %0D, but 100 %0B", "x" * 700))
    link = Hint("", "anchor").link
    assert log.lines() == [
        "::add-mask::rca_50%2525",
        "Going on.",
        "::debug::100 %25",
        "::warning::50 %25 lost. Fix it.",
        f"Troubleshooting: {link}",
        # act unescapes %25 before %0A, and would find a line end in an escaped `%0A`.
        f"::error::no %25 0A, no %25 0D, but 100 %250B: {'x' * 600}…. Fix it.",
        f"Troubleshooting: {link}",
    ]


def test_debug_lines_are_written_only_if_enabled() -> None:
    log = Log(debug=False)
    log.runner.debug("x")
    assert log.getvalue() == ""


def test_each_line_of_a_secret_is_masked() -> None:
    log = Log()
    log.runner.mask("first-line\n\nsecond-line\nab\n")
    log.runner.mask("")
    assert log.lines() == ["::add-mask::first-line", "::add-mask::second-line"]


def test_mask_has_no_double_colon_for_act_only() -> None:
    secret = "rca_first::second:::ab::::third:"
    for is_act in (True, False):
        log = Log(is_act=is_act)
        log.runner.mask(secret)
        log.runner.info(f"a {secret} b")
        pieces = ["rca_first", "second", "third:"] if is_act else [secret]
        assert log.lines() == [*(f"::add-mask::{piece}" for piece in pieces), "a *** b"]


def test_masked_secret_is_written_nowhere() -> None:
    token = f"ghs_{'a.b-c_d' * 74}"[:520]
    log = Log()
    log.runner.mask(token)
    assert log.lines() == [f"::add-mask::{token}"]
    for write in (log.runner.info, log.runner.debug):
        write(f"a {token}")
    log.runner.error(failed(f"b {token}", f"c {token}"))
    log.runner.warning(failed(f"d {token}"))
    log.runner.output_block(f"e {token}", f"f {token}")
    assert token[:50] not in "".join(log.lines()[1:])
    assert log.getvalue().count("***") == 7


def test_secret_is_redacted_before_anything_is_truncated() -> None:
    log = Log()
    log.runner.mask(KEY)
    log.runner.output_block("", f"{KEY}{'x' * (STREAM_LIMIT - 6)}")
    log.runner.error(failed("", f"{'x' * (EXCERPT_LIMIT - 4)}{KEY}"))
    assert KEY[-6:] not in "".join(log.lines()[1:])
    assert KEY[:4] not in "".join(log.lines()[1:])


def test_output_block_is_indented_under_its_heading() -> None:
    log = Log()
    log.runner.output_block("Docker output:", "one\n::error::two\r##[group]three\n\n")
    log.runner.output_block("nothing", "\n \n")
    expected = ["Docker output:", "  | one", "  |  : :error: :two", "  | ## [group]three"]
    assert log.lines() == expected


@given(st.sampled_from(["debug", "warning", "error"]), hostile.texts)
@example("error", ":x")
@example("error", "50 %0A::error::x")
def test_every_runner_reads_the_one_command(level: str, text: str) -> None:
    log = Log(is_act=True)
    getattr(log.runner, level)(f"x{text}" if level == "debug" else failed("x", text))
    [(name, data)] = hostile.commands(log.getvalue())
    assert (name, data[0]) == (level, "x")
    assert data.isprintable()


@given(hostile.texts)
def test_foreign_output_contains_no_command(text: str) -> None:
    log = Log(is_act=True)
    log.runner.output_block("Docker output:", text)
    log.runner.info(text)
    assert hostile.commands(log.getvalue()) == []


@given(secrets, st.data())
def test_hidden_secret_is_redacted(secret: str, data: st.DataObject) -> None:
    noise = st.sampled_from([*hostile.TERMINAL[:7], "\x1b\x1b[0m[0m", ""])
    woven = "".join(character + data.draw(noise) for character in secret)
    forms = [secret, woven, json.dumps(secret), quote(secret, safe="")]
    text = data.draw(hostile.texts).join(data.draw(st.permutations(forms)))
    log = Log(is_act=True)
    log.runner.mask(secret)
    masks = log.tell()
    log.runner.info(text)
    log.runner.error(failed("", text))
    log.runner.output_block("Docker output:", text)
    assert secret not in log.getvalue()[masks:]


# act would mask something else for a secret that contains `%0A`. It is redacted all the same.
@given(secrets.filter(lambda secret: "%0" not in secret))
@example("rca_one::two")
@example("rca_:::x::::yyyy")
def test_every_runner_masks_the_same(secret: str) -> None:
    log = Log(is_act=True)
    log.runner.mask(secret)
    found = hostile.commands(log.getvalue())
    assert len(found) == len(log.lines()) > 0
    assert all(name == "add-mask" and data in secret for name, data in found)


@pytest.mark.parametrize("fragment", [*hostile.FRAGMENTS, "\x1b[0;", "\x1b]x", "<html"])
def test_megabytes_of_foreign_text_are_truncated(fragment: str) -> None:
    text = fragment * (MEGABYTES // len(fragment))
    log = Log()
    log.runner.output_block("Docker output:", text)
    log.runner.error(failed("", text))
    *block, error, _ = log.getvalue().split("\n")[:-1]
    assert sum(len(line) for line in block) <= 6 * STREAM_LIMIT + 500
    assert len(error) <= 3 * (EXCERPT_LIMIT + 20)


@pytest.mark.parametrize("is_state", [True, False])
def test_file_entries_are_appended_with_own_delimiters(tmp_path: Path, *, is_state: bool) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"earlier=1\n")
    runner = Log(file=file).runner
    values = [("a", "1"), ("b", "two ü\r\n\n::error::x"), ("a", "2")]
    for name, value in values:
        runner.save_state(name, value) if is_state else runner.set_outputs([(name, value)])
    written = file.read_bytes().decode()
    found = ENTRY.findall(written)
    assert [(name, value.replace("\n\n", "\r\n\n")) for name, _, value in found] == values
    assert len({delimiter for _, delimiter, _ in found}) == 3
    assert ENTRY.sub("", written) == "earlier=1\n"


def test_value_with_the_api_key_is_refused(tmp_path: Path) -> None:
    runner = Log(file=tmp_path / "file").runner
    for value in (KEY, f"a{KEY}b"):
        with pytest.raises(RunnerError):
            runner.set_outputs([("a", value)])
        with pytest.raises(RunnerError):
            runner.save_state("a", value)
        with pytest.raises(RunnerError):
            runner.save_state("a", "x", without_key=value)
    assert list(tmp_path.iterdir()) == []
    runner.save_state("a", KEY, without_key="")
    assert ENTRY.findall((tmp_path / "file").read_text())[0][2] == KEY


def test_empty_api_key_refuses_nothing(tmp_path: Path) -> None:
    file = tmp_path / "file"
    Runner(Log(), state_file=file, output_file=None, api_key="", debug=False).save_state("a", "x")
    assert file.exists()


def test_file_that_cannot_be_written_is_a_runner_error(tmp_path: Path) -> None:
    for file in (None, tmp_path / "missing" / "file", tmp_path):
        runner = Log(file=file).runner
        for write in (lambda r: r.save_state("a", "x"), lambda r: r.set_outputs([("a", "x")])):
            with pytest.raises(RunnerError) as caught:
                write(runner)
            assert caught.value.hint.anchor == "runner-files"
            assert caught.value.detail


def test_short_write_leaves_the_file_unchanged(tmp_path: Path) -> None:
    file = tmp_path / "file"
    append_whole(file, b"one")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5, limits[1]))
    try:
        with pytest.raises(OSError) as caught:  # noqa: PT011 its number follows
            append_whole(file, b"four")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.errno == errno.ENOSPC
    assert file.read_bytes() == b"one"
    append_whole(file, b"two")
    assert file.read_bytes() == b"onetwo"
    assert file.stat().st_mode & 0o777 == 0o600


def test_broken_pipe_is_ignored() -> None:
    log = Log()
    log.close()
    log.runner.mask(KEY)
    log.runner.error(failed("x"))
