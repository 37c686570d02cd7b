"""The runner of the tests itself, against what is known of the real ones."""

from __future__ import annotations

import base64
import json
import signal
import threading
from pathlib import Path

import pytest

from tests.runner import ACT, FORGEJO, GITEA, GITHUB, PROFILES, Profile, Runner, Stage
from tests.runner.files import FileCommandError, parse, parse_act, parse_forgejo, parse_gitea
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
const terminals = [0, 1, 2].map((descriptor) => require("node:tty").isatty(descriptor));
console.log(
  JSON.stringify({ cwd: process.cwd(), terminals, variables: Object.fromEntries(picked) }),
);
fs.appendFileSync(process.env.GITHUB_STATE, "stage=seen\\n");
fs.appendFileSync(process.env.GITHUB_OUTPUT, "answer=42\\n");
console.log("::add-mask::hush-hush");
process.exitCode = 3;
"""
# Ends by a signal alone, and so does its child; each writes down which one it got.
ENDLESS = """\
const fs = require("node:fs");
const { spawn } = require("node:child_process");
process.on("SIGINT", () => { fs.appendFileSync("told", "SIGINT\\n"); process.exit(130); });
const wait = "echo ready > told; while [ -f told ]; do sleep 0.02; done";
spawn("/bin/sh", ["-c", `trap 'echo SIGHUP >> told; exit' HUP; ${wait}`], { stdio: "ignore" });
setInterval(() => {}, 1000);
"""

Entries = dict[str, str] | None
BIG = {"a": "1", "b": "x" * 65536, "c": "3"}


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


@pytest.mark.parametrize("profile", PROFILES, ids=str)
def test_a_step_is_given_what_its_runner_gives(
    tmp_path: Path, probe: Path, profile: Profile
) -> None:
    """Terminal, path of the action, files and inputs are those of the runner, in each stage."""
    job = {"INPUT_GIVEN": "of the job", "INPUT_OTHER": "of the job"}
    runner = Runner(tmp_path / "job", {}, action=probe, profile=profile, environment=job)
    main, post = (json.loads(result.log.shown[0]) for result in (runner.main(), runner.post()))
    variables = main["variables"]

    assert main["terminals"] == post["terminals"] == [profile in {ACT, FORGEJO}] * 3
    assert variables.get("GITHUB_ACTION_PATH") == (None if profile is GITHUB else "")
    assert variables["INPUT_GIVEN"] == ("of the job" if profile is GITEA else "")
    assert ("INPUT_OTHER" in variables) == (profile in {GITHUB, GITEA})
    assert variables["INPUT_DEFAULTED"] == "fallback"
    is_other = variables["GITHUB_STATE"] != post["variables"]["GITHUB_STATE"]
    assert is_other == (profile is GITHUB)
    assert post["variables"]["STATE_stage"] == "seen"


@pytest.mark.parametrize("profile", PROFILES, ids=str)
@pytest.mark.parametrize("depth", [1, 2])
def test_a_composite_action_is_what_its_runner_makes_of_it(
    tmp_path: Path, probe: Path, profile: Profile, depth: int
) -> None:
    """GitHub's loses the inputs of post, Gitea's has those of the innermost composite."""
    around = [{"defaulted": "outer"}, {"defaulted": "inner"}][:depth]
    given = {"given": "x"}
    runner = Runner(tmp_path / "job", given, action=probe, profile=profile, composites=around)
    main, post = (
        json.loads(result.log.shown[0])["variables"] for result in (runner.main(), runner.post())
    )

    assert (
        main["GITHUB_ACTION_PATH"] == post["GITHUB_ACTION_PATH"] == str(tmp_path / "job/composite")
    )
    assert (main["INPUT_GIVEN"], post["INPUT_GIVEN"]) == ("x", "" if profile is GITHUB else "x")
    inherited = ["outer", "inner"][depth - 1] if profile is GITEA else "fallback"
    assert main["INPUT_DEFAULTED"] == post["INPUT_DEFAULTED"] == inherited


@pytest.mark.parametrize("profile", PROFILES, ids=str)
def test_a_step_is_ended_as_its_runner_does(tmp_path: Path, probe: Path, profile: Profile) -> None:
    """GitHub's tells Node first; act's kill reaches a child as SIGHUP; the others kill both."""
    (probe / "probe.cjs").write_text(ENDLESS, "utf-8")
    runner = Runner(tmp_path / "job", {}, action=probe, profile=profile)
    stage = runner.begin("main")
    told = tmp_path / "job" / "workspace" / "told"
    while not told.exists() or "ready" not in told.read_text("utf-8"):
        threading.Event().wait(0.01)
    code = stage.end().exit_code
    expected = {GITHUB: ["SIGINT"], ACT: ["SIGHUP"]}.get(profile, [])
    while told.read_text("utf-8").split() != ["ready", *expected]:
        threading.Event().wait(0.01)
    told.unlink()
    stage.wait_for_orphans()

    assert code == (130 if profile is GITHUB else -signal.SIGKILL)


@pytest.mark.parametrize(
    ("content", "act", "gitea", "forgejo"),
    [
        ("a=1\r\nb<<E\r\nx\r\nE\r\n", *[{"a": "1", "b": "x"}] * 3),
        ("a<<E\n\n\nx\n\nE\n", *[{"a": "x\n"}] * 3),
        ("a=1\n\nb=2\n", None, {"a": "1", "b": "2"}, None),
        ("a=1\nnonsense\n", None, None, None),
        ("a<<E\nx\n", None, None, None),
        ("\ufeffa=1\n", {"a": "1"}, {"a": "1"}, {"\ufeffa": "1"}),
        (f"a=1\nb={'x' * 65536}\nc=3\n", BIG, BIG, {"a": "1"}),
    ],
    ids=["CR", "empty lines first", "an empty line", "nonsense", "no end", "BOM", "a long line"],
)
def test_command_files_are_read_as_the_other_runners_do(
    content: str, act: Entries, gitea: Entries, forgejo: Entries
) -> None:
    """What a bad line leaves is nothing; what is bad is not the same for all three."""
    for parse_as, entries in ((parse_act, act), (parse_gitea, gitea), (parse_forgejo, forgejo)):
        if entries is None:
            with pytest.raises(FileCommandError) as caught:
                parse_as(content)
            assert caught.value.entries == {}
        else:
            assert parse_as(content) == entries


@pytest.mark.parametrize("profile", PROFILES, ids=str)
def test_a_log_is_read_by_its_runners_grammar(profile: Profile) -> None:
    """A command mid-line is GitHub's alone, a mask with `::` act's failing alone."""
    log = Log(grammar=profile.grammar)
    log.feed("::add-mask::se::cret\n##[error]a\nx ##[error]b\nse::cret c2U6OmNyZXQ=\nlast")

    is_github, is_act = profile is GITHUB, profile is ACT
    assert [text for _, text in log.annotations] == (["a", "b"] if is_github else ["a"])
    assert ("se::cret" in log.text()) == is_act
    assert ("c2U6OmNyZXQ=" in log.text()) == (profile in {ACT, FORGEJO})
    assert log.shown[-1] == "last"
