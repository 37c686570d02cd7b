"""The exact bytes that a runner gets."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from lib.errors import RunnerError
from lib.text import STREAM_LIMIT
from lib.workflow import Workflow

KEY = "rca_0123456789"
ENTRY = re.compile(rb"(\w+)<<(ghadelimiter_[0-9a-f-]{36})\n(.*?)\n\2\n", re.DOTALL)


class BrokenPipe(io.StringIO):
    """A stream that nobody reads any more."""

    def write(self, _text: str) -> int:
        """Fail."""
        raise BrokenPipeError(32, "Broken pipe")


def workflow(
    stream: io.StringIO | None = None,
    *,
    state_file: Path | None = None,
    output_file: Path | None = None,
    debug: bool = False,
) -> Workflow:
    """Make a workflow on a stream and files."""
    return Workflow(
        stream or io.StringIO(), state_file=state_file, output_file=output_file, debug=debug
    )


def test_commands_have_their_exact_bytes() -> None:
    """Each is one line in the runner's grammar."""
    stream = io.StringIO()
    spoken = workflow(stream, debug=True)
    spoken.mask(KEY)
    spoken.info("Going on.")
    spoken.debug("100 %")
    spoken.warning("Mind: this")
    spoken.error("50 %\nlost")
    assert stream.getvalue() == (
        f"::add-mask::{KEY}\n"
        "Going on.\n"
        "::debug::100 %25\n"
        "::warning::Mind: this\n"
        "::error::50 %25 lost\n"
    )


def test_debug_lines_are_written_only_where_asked_for() -> None:
    """Without RUNNER_DEBUG there are none."""
    stream = io.StringIO()
    workflow(stream).debug("x")
    assert stream.getvalue() == ""


def test_each_line_of_a_secret_is_masked() -> None:
    """A runner masks what it gets as one line."""
    stream = io.StringIO()
    workflow(stream).mask("first-line\n\nsecond-line\nab\n")
    assert stream.getvalue() == "::add-mask::first-line\n::add-mask::second-line\n"


def test_a_mask_is_escaped_as_a_command_is() -> None:
    """A percent sign in a secret must not be taken for an escape."""
    stream = io.StringIO()
    workflow(stream).mask("rca_50%25")
    assert stream.getvalue() == "::add-mask::rca_50%2525\n"


def test_an_escaped_line_end_stays_text() -> None:
    """Act may take back the escape of a percent sign first, and then see a line end."""
    stream = io.StringIO()
    workflow(stream).error("no %0A, no %0D, but 100 %0B")
    assert stream.getvalue() == "::error::no %25 0A, no %25 0D, but 100 %250B\n"


def test_no_mask_has_two_colons_in_it() -> None:
    """Act would take them for the end of the command's name, and print the secret."""
    stream = io.StringIO()
    spoken = Workflow(stream, state_file=None, output_file=None, debug=False, is_act=True)
    spoken.mask("rca_first::second:::ab::::third:")
    spoken.info("a rca_first::second:::ab::::third: b")
    assert stream.getvalue() == (
        "::add-mask::rca_first\n::add-mask::second\n::add-mask::third:\na *** b\n"
    )


def test_a_mask_is_whole_where_the_runner_takes_it_whole() -> None:
    """GitHub's runner ends the command's name at the first two colons, and hides all the rest."""
    stream = io.StringIO()
    workflow(stream).mask("abc::def::ghi")
    assert stream.getvalue() == "::add-mask::abc::def::ghi\n"


def test_a_secret_in_another_form_is_not_written() -> None:
    """What the runner of GitHub masks, and act does not, is hidden in all we write."""
    stream = io.StringIO()
    spoken = workflow(stream)
    spoken.mask('rca_<one&"two\\3>')
    for form in (
        r"rca_<one&\"two\\3>",
        "rca_%3Cone%26%22two%5C3%3E",
        "rca_&lt;one&amp;&quot;two\\3&gt;",
    ):
        spoken.info(form)
        assert stream.getvalue().splitlines()[-1] == "***"


def test_nothing_is_masked_where_there_is_no_secret() -> None:
    """An empty mask would hide everything or be an error."""
    stream = io.StringIO()
    workflow(stream).mask("")
    assert stream.getvalue() == ""


def test_a_masked_secret_is_not_written_again() -> None:
    """Masking is the runner's, but what we write has no secret in it either."""
    stream = io.StringIO()
    spoken = workflow(stream, debug=True)
    spoken.mask(KEY)
    stream.seek(0)
    stream.truncate()
    spoken.info(f"a {KEY}")
    spoken.debug(f"b {KEY}")
    spoken.warning(f"c {KEY}")
    spoken.error(f"d {KEY}")
    spoken.quotation("e", f"f {KEY}")
    assert KEY not in stream.getvalue()
    assert stream.getvalue().count("***") == 5


def test_a_quotation_is_set_off_from_our_own_words() -> None:
    """Each line of it is marked, and none of it is a command."""
    stream = io.StringIO()
    workflow(stream).quotation("Docker said:", "one\n::error::two\r##[group]three\n\n")
    assert stream.getvalue() == "Docker said:\n  | one\n  |  : :error: :two\n  | ## [group]three\n"


@pytest.mark.parametrize("said", ["", "\n \n"])
def test_who_said_nothing_is_not_quoted(said: str) -> None:
    """There is no heading without a quotation."""
    stream = io.StringIO()
    workflow(stream).quotation("Docker said:", said)
    assert stream.getvalue() == ""


def test_a_quotation_is_bounded() -> None:
    """A server cannot fill the log."""
    stream = io.StringIO()
    workflow(stream).quotation("Docker said:", "x" * 10 * STREAM_LIMIT)
    assert len(stream.getvalue()) < STREAM_LIMIT + 200


def test_a_secret_is_not_quoted_in_part() -> None:
    """Where a long stream is cut, no end of a secret is left."""
    stream = io.StringIO()
    spoken = workflow(stream)
    spoken.mask(KEY)
    spoken.quotation("Docker said:", f"{KEY}{'x' * (STREAM_LIMIT - 6)}")
    assert KEY[-6:] not in stream.getvalue().partition("\n")[2]


def test_outputs_are_entries_of_the_file(tmp_path: Path) -> None:
    """Each has its own delimiter, ends with a line feed, and leaves what was there."""
    file = tmp_path / "output"
    file.write_bytes(b"earlier=1\n")
    workflow(output_file=file).set_outputs([("a", "1"), ("b", "two ü")])
    written = file.read_bytes()
    assert written.startswith(b"earlier=1\na<<")
    found = ENTRY.findall(written)
    assert [(name, value) for name, _, value in found] == [(b"a", b"1"), (b"b", "two ü".encode())]
    assert found[0][1] != found[1][1]
    assert ENTRY.sub(b"", written) == b"earlier=1\n"
    assert b"\r" not in written


def test_the_state_is_one_entry_each_time(tmp_path: Path) -> None:
    """A later entry follows the earlier one under the same name."""
    file = tmp_path / "state"
    spoken = workflow(state_file=file)
    spoken.save_state("1")
    spoken.save_state("2")
    found = ENTRY.findall(file.read_bytes())
    assert [(name, value) for name, _, value in found] == [(b"login", b"1"), (b"login", b"2")]


def test_a_runner_without_files_is_told(tmp_path: Path) -> None:
    """Outside a runner there is nothing to write to, and the error says so."""
    with pytest.raises(RunnerError, match=r"GITHUB_STATE.+the runner names no file.+on a runner"):
        workflow().save_state("x")
    with pytest.raises(RunnerError, match="GITHUB_OUTPUT"):
        workflow().set_outputs([("a", "1")])
    with pytest.raises(RunnerError, match="No such file or directory"):
        workflow(state_file=tmp_path / "none" / "state").save_state("x")


def test_a_log_that_nobody_reads_is_no_reason_to_stop() -> None:
    """A broken pipe keeps no server from being logged out."""
    spoken = workflow(BrokenPipe())
    spoken.mask(KEY)
    spoken.info("x")
    spoken.error("x")
