"""No text from outside commands any runner: properties, for all texts that can be thought of."""

from __future__ import annotations

import io
import json
import tempfile
from pathlib import Path
from urllib.parse import quote as quote_for_url

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lib.redaction import scrub, spellings
from lib.text import QUOTE_LIMIT, STREAM_LIMIT, lines, plain, quote
from lib.transport import parse_retry_after
from lib.workflow import Workflow
from tests import hostile
from tests.runner import files

# As long as an answer of the API can be.
MEGABYTES = 8 * 1024 * 1024
# A text of the log is at most so much longer than what it quotes: `  | ` before each line.
GROWTH = 6

# No asterisk: what is put in the place of a secret must not make up another.
_VISIBLE = st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="*")
secrets = st.text(_VISIBLE, min_size=1, max_size=30).map("rca_{}".format)


def speaker(
    state_file: Path | None = None, output_file: Path | None = None
) -> tuple[Workflow, io.StringIO]:
    """Make a workflow that speaks to the strictest of the runners, and what it writes to."""
    stream = io.StringIO()
    spoken = Workflow(
        stream, state_file=state_file, output_file=output_file, debug=True, is_act=True
    )
    return spoken, stream


def assert_only_text(line: str) -> None:
    """Check that a line is one, has no command in it, and nothing for a terminal."""
    assert hostile.commands(f"{line}\n") == []
    assert line.isprintable()
    assert line.splitlines() in ([], [line])


@given(hostile.texts)
@example("::error::x")
@example("a ##[error]x")
@example(":\x1b\x1b[0m[0m:error::x")
@example("\u034f:\u034f:error:\u034f:x")
def test_what_is_made_of_a_text_is_only_text(text: str) -> None:
    """No line made of any text is a command for any runner, or moves a cursor."""
    for line in [plain(text), quote(text), *lines(text)]:
        assert_only_text(line)


@given(hostile.texts, hostile.texts)
def test_pieces_next_to_each_other_are_only_text(first: str, second: str) -> None:
    """What is joined after it was made harmless is harmless once it is written."""
    told, stream = speaker()
    told.info(quote(first) + quote(second))
    told.info(f"{quote(first)}:{quote(second)}")
    assert hostile.commands(stream.getvalue()) == []


@given(hostile.texts)
def test_a_quoted_stream_is_only_text(text: str) -> None:
    """What a program said is in the log under its heading, and commands nothing."""
    told, stream = speaker()
    told.quotation("What docker said on the server:", text)
    for line in stream.getvalue().split("\n"):
        assert_only_text(line)


@given(st.sampled_from(["debug", "warning", "error"]), hostile.texts)
@example("error", ":x")
@example("error", "50 %0A::error::x")
def test_an_annotation_is_the_one_command_that_was_meant(level: str, text: str) -> None:
    """Every runner reads the command we wrote, with one line that means the same to each."""
    told, stream = speaker()
    getattr(told, level)(text)
    [(name, data)] = hostile.commands(stream.getvalue())
    assert name == level
    assert data.replace("% 0", "%0") == plain(text).replace("% 0", "%0")
    assert_only_text(data)


@given(hostile.texts)
def test_what_was_made_harmless_once_stays_as_it_is(text: str) -> None:
    """A quotation that goes through it again, within our own words, is not changed."""
    assert plain(plain(text)) == plain(text)
    assert quote(quote(text)) == quote(text)


@given(secrets, st.data())
def test_a_secret_is_in_no_line_however_it_is_woven_in(secret: str, data: st.DataObject) -> None:
    """Neither colors within a secret nor its usual encodings bring it into the log."""
    noise = st.sampled_from([*hostile.TERMINAL[:7], "\x1b\x1b[0m[0m", ""])
    woven = "".join(letter + data.draw(noise) for letter in secret)
    forms = [secret, woven, json.dumps(secret), quote_for_url(secret, safe="")]
    said = data.draw(hostile.texts).join(data.draw(st.permutations(forms)))
    told, stream = speaker()
    told.mask(secret)
    masks = stream.tell()
    told.info(said)
    told.error(said)
    told.quotation("Docker said:", said)
    assert secret not in stream.getvalue()[masks:]


# With `%0A` in a key act would mask something else; what we write is scrubbed of it all the same.
@given(secrets.filter(lambda secret: "%0" not in secret))
@example("rca_one::two")
@example("rca_:::x::::yyyy")
def test_a_mask_is_a_mask_for_every_runner(secret: str) -> None:
    """Each runner takes each mask for one, and prints no line of a secret in its place."""
    told, stream = speaker()
    told.mask(secret)
    found = hostile.commands(stream.getvalue())
    assert len(found) == len(stream.getvalue().splitlines()) > 0
    for name, data in found:
        assert name == "add-mask"
        assert data in secret


@given(st.dictionaries(st.sampled_from(["a", "registry_url", "x-y"]), hostile.texts))
def test_outputs_are_read_as_they_were_set(outputs: dict[str, str]) -> None:
    """No value ends its own entry or begins another."""
    values = {name: _storable(value) for name, value in outputs.items()}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "output"
        told, _ = speaker(output_file=file)
        told.set_outputs(values.items())
        found = files.parse(file.read_bytes().decode()) if values else {}
    assert found == values


def _storable(value: str) -> str:
    """Leave out what no UTF-8 has, and line ends of Windows, which are written as Unix ones."""
    return value.encode("utf-8", "replace").decode().replace("\r\n", "\n")


@given(hostile.texts | st.integers().map("Wed, 21 Oct {} 07:28:00 GMT".format))
@example("Wed, 21 Oct 99999999999999999999 07:28:00 GMT")
@example("Mon, 1 Jan 1 00:00:00 +2359")
def test_any_retry_after_is_a_wait_or_nothing(text: str) -> None:
    """No header is more than a number of seconds, or raises."""
    wait = parse_retry_after(text)
    assert wait is None or 0 <= wait < float("inf")


@pytest.mark.parametrize("fragment", [*hostile.FRAGMENTS, "\x1b[0;", "\x1b]x", "\x1b[0 ", "<html"])
def test_megabytes_are_cut_to_what_a_log_bears(fragment: str) -> None:
    """However long a text is, what is written of it is bounded: 64 Ki characters a stream."""
    text = fragment * (MEGABYTES // len(fragment))
    told, stream = speaker()
    told.mask("rca_0123456789")
    told.quotation("Docker said:", text)
    told.error(quote(text))
    *quoted, error = stream.getvalue().splitlines()
    assert sum(len(line) for line in quoted) <= GROWTH * STREAM_LIMIT
    assert len(error) <= len("::error::") + 3 * (QUOTE_LIMIT + 1)


def test_a_page_of_secrets_is_replaced_in_one_pass_each() -> None:
    """A text that is nothing but a secret, in megabytes, becomes asterisks."""
    secret = "rca_0123456789"
    assert set(scrub(secret * (MEGABYTES // len(secret)), spellings(secret))) == {"*"}
