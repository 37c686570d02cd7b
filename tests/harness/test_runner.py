"""The runner of the tests itself, against the grammar of GitHub's own."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from tests.runner import Runner, Stage
from tests.runner.files import FileCommandError, parse
from tests.runner.log import Log, parse_command

ACTION = """\
name: probe
inputs:
  given: {}
  defaulted: {default: fallback}
runs:
  using: node24
  main: probe.cjs
  post: probe.cjs
"""
# Writes what it was started with, and the state and outputs that a test asks it to write.
PROBE = """\
const fs = require("node:fs");
const picked = Object.entries(process.env).filter(([n]) => /^(INPUT|STATE|GITHUB)_/.test(n));
console.log(JSON.stringify({ cwd: process.cwd(), variables: Object.fromEntries(picked) }));
fs.appendFileSync(process.env.GITHUB_STATE, "stage=seen\\n");
fs.appendFileSync(process.env.GITHUB_OUTPUT, "answer=42\\n");
console.log("::add-mask::hush-hush");
process.exitCode = 3;
"""


@pytest.fixture
def probe(tmp_path: Path) -> Path:
    """Make an action that tells what it was given."""
    folder = tmp_path / "probe"
    folder.mkdir()
    (folder / "action.yml").write_text(ACTION, "utf-8")
    (folder / "probe.cjs").write_text(PROBE, "utf-8")
    return folder


@pytest.mark.parametrize(
    ("content", "entries"),
    [
        ("", {}),
        ("a=1\n", {"a": "1"}),
        ("a=1", {"a": "1"}),
        ("\n\na=1\n\nb=2\n", {"a": "1", "b": "2"}),
        ("a=1\na=2\n", {"a": "2"}),
        ("a==b\n", {"a": "=b"}),
        ("a=b<<c\n", {"a": "b<<c"}),
        ("a=\n", {"a": ""}),
        ("a=1\r\n", {"a": "1\r"}),
        ("\ufeffa=1\n", {"a": "1"}),
        ("a<<E\nx\ny\nE\n", {"a": "x\ny"}),
        ("a<<E\nE\n", {"a": ""}),
        ("a<<E\n\nx\nE", {"a": "\nx"}),
        ("a<<E\n E\nE\n", {"a": " E"}),
        ("a<<b=c\nx\nb=c\n", {"a": "x"}),
    ],
)
def test_command_files_are_read_by_the_runners_grammar(
    content: str, entries: dict[str, str]
) -> None:
    """Each form of an entry that GitHub's runner knows gives the value that it gives there."""
    assert parse(content) == entries


@pytest.mark.parametrize("bad", ["nonsense\n", "a<<E\nx\n", "<<E\nx\nE\n", "a<<\nx\n\n", "  \n"])
def test_a_bad_line_keeps_the_entries_before_it(bad: str) -> None:
    """A malformed line fails, and what stood before it counts all the same."""
    with pytest.raises(FileCommandError) as caught:
        parse("good=1\n" + bad)

    assert caught.value.entries == {"good": "1"}


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("::error::no", ("error", {}, "no")),
        ("  ::Error::no", ("error", {}, "no")),
        ("::error file=a%3Ab,line=2::x%0Ay", ("error", {"file": "a:b", "line": "2"}, "x\ny")),
        ("::error file=::no", ("error", {}, "no")),
        ("::add-mask::a::b", ("add-mask", {}, "a::b")),
        ("::debug::100%25", ("debug", {}, "100%")),
        ("::debug::%250A", ("debug", {}, "%0A")),
        ("in the middle ##[warning]x%5D", ("warning", {}, "x]")),
        ("##[error file=a%3Bb]x", ("error", {"file": "a;b"}, "x")),
        ("x ::error::no", None),
        ("::unknown::x", None),
        ("::error", None),
        ("##[error", None),
        ("plain", None),
    ],
)
def test_commands_are_found_as_the_runner_finds_them(
    line: str, command: tuple[str, dict[str, str], str] | None
) -> None:
    """Both forms of a command are read, with their escapes, and nothing else is one."""
    assert parse_command(line) == command


def test_a_lone_carriage_return_ends_a_line() -> None:
    """What follows a lone CR can be a command, as in GitHub's runner."""
    log = Log()
    log.feed("progress\r::warning::sneaky\n")

    assert log.annotations == [("warning", "sneaky")]


def test_masks_hide_a_secret_in_every_form_the_runner_knows() -> None:
    """A masked value is hidden as it is, in base64 and in JSON, in lines and annotations."""
    log = Log()
    secret = 'rca_"secret"'
    encoded = base64.b64encode(secret.encode()).decode()
    log.feed(f"::add-mask::{secret}\n{secret} {encoded} {json.dumps(secret)}\n::error::{secret}\n")

    assert log.shown == ['*** *** "***"', "Error: ***"]
    assert log.annotations == [("error", "***")]


def test_stopped_commands_are_plain_text() -> None:
    """Between stop-commands and its token no command is obeyed."""
    log = Log()
    log.feed("::stop-commands::token-1\n::error::no\n::token-1::\n::error::yes\n")

    assert log.annotations == [("error", "yes")]
    assert log.shown == ["::error::no", "Error: yes"]


def test_debug_lines_are_for_those_who_asked() -> None:
    """A debug line is shown in debug mode alone."""
    quiet, loud = Log(), Log(is_debug=True)
    for log in (quiet, loud):
        log.feed("::debug::detail\n")

    assert (quiet.shown, loud.shown) == ([], ["##[debug]detail"])


def test_each_stage_gets_inputs_evaluated_anew_and_fresh_files(tmp_path: Path, probe: Path) -> None:
    """Post has its own inputs and files, the state that main saved, and the workspace."""

    def inputs(stage: Stage) -> dict[str, str]:
        return {"given": f"for {stage}"}

    runner = Runner(tmp_path / "job", inputs, action=probe)
    main, post = runner.main(), runner.post()

    first, second = (json.loads(result.log.shown[0]) for result in (main, post))
    assert first["variables"]["INPUT_GIVEN"] == "for main"
    assert second["variables"]["INPUT_GIVEN"] == "for post"
    assert first["variables"]["INPUT_DEFAULTED"] == "fallback"
    assert first["variables"]["GITHUB_STATE"] != second["variables"]["GITHUB_STATE"]
    assert Path(first["variables"]["GITHUB_STATE"]).exists()
    assert "STATE_stage" not in first["variables"]
    assert second["variables"]["STATE_stage"] == "seen"
    assert first["cwd"] == str(runner.workspace)


def test_files_are_read_whatever_the_exit_code(tmp_path: Path, probe: Path) -> None:
    """A step that fails leaves its outputs, its state and its masks."""
    result = Runner(tmp_path / "job", {}, action=probe).main()

    assert result.exit_code == 3
    assert result.outputs == {"answer": "42"}
    assert result.state == {"stage": "seen"}
    assert "hush-hush" in result.log.masks
