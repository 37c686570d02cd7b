"""The runner emulator, against what is known of the real runners."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from tests.runner import ACT, FORGEJO, GITEA, GITHUB, PROFILES, Profile, Runner, StageResult
from tests.runner.files import parse
from tests.runner.log import Log

ACTION = """{name: probe, inputs: {given: {}, defaulted: {default: fallback}},
  runs: {using: node24, main: probe.cjs, post: probe.cjs}}"""
PROBE = """
const fs = require("node:fs");
const terminals = [0, 1, 2].map((descriptor) => require("node:tty").isatty(descriptor));
console.log(JSON.stringify({ terminals, ...process.env }) + "\\n::add-mask::hush-hush");
fs.appendFileSync(process.env.GITHUB_STATE, "stage=seen\\n");
process.exitCode = 3;
"""
on_each = pytest.mark.parametrize("profile", PROFILES, ids=str)


@pytest.fixture
def probe(tmp_path: Path) -> Path:
    """Create an action that prints its environment."""
    (tmp_path / "action.yml").write_text(ACTION, "utf-8")
    (tmp_path / "probe.cjs").write_text(PROBE, "utf-8")
    return tmp_path


def printed(result: StageResult) -> Any:
    """Return the environment that the probe printed."""
    return json.loads(result.log.shown[0])


@pytest.mark.parametrize(
    ("content", "expected"),  # of GitHub, act, Gitea and Forgejo; None for an error
    [
        ("a<<b=c\nx\ny\nb=c\n", [{"a": "x\ny"}] * 4),
        ("a=1\r\n", [{"a": "1\r"}, *[{"a": "1"}] * 3]),
        ("a<<E\n\nx\nE", [{"a": "\nx"}, *[{"a": "x"}] * 3]),
        ("a=1\n\n", [{"a": "1"}, None, {"a": "1"}, None]),
        ("a=1\nb<<E\nx\n", [None] * 4),
        (f"a=1\nb={'x' * 65536}\n", [*[{"a": "1", "b": "x" * 65536}] * 3, {"a": "1"}]),
    ],
)
def test_command_files_follow_each_runners_grammar(
    content: str, expected: list[dict[str, str] | None]
) -> None:
    for profile, entries in zip(PROFILES, expected, strict=True):
        with nullcontext() if entries is not None else pytest.raises(ValueError, match="Invalid"):
            assert parse(content, profile.name) == entries


def test_log_finds_commands_and_masks_values() -> None:
    log = Log()
    log.feed("::add-mask::se::cret\nx se::cret\r::error file=a::b%0Ac\nx ##[warning]d\n::no::e\n")
    assert log.shown == ["x ***", "Error: b\nc", "Warning: d", "::no::e"]
    assert log.annotations == [("error", "b\nc"), ("warning", "d")]


@on_each
def test_stage_gets_what_its_runner_gives(probe: Path, profile: Profile) -> None:
    job = {"INPUT_GIVEN": "of the job", "INPUT_OTHER": "of the job"}
    runner = Runner(probe / "job", {}, action=probe, profile=profile, environment=job)
    main = runner.main()
    first, second = printed(main), printed(runner.post())
    assert (main.exit_code, main.state, main.log.masks) == (3, {"stage": "seen"}, {"hush-hush"})
    assert first["terminals"] == second["terminals"] == [profile in {ACT, FORGEJO}] * 3
    assert first["INPUT_GIVEN"] == ("of the job" if profile is GITEA else "")
    assert ("INPUT_OTHER" in first) == (profile in {GITHUB, GITEA})
    assert first["INPUT_DEFAULTED"] == "fallback"
    assert first.get("GITHUB_ACTION_PATH") == (None if profile is GITHUB else "")
    assert (first["GITHUB_STATE"] != second["GITHUB_STATE"]) == (profile is GITHUB)
    assert (first.get("STATE_stage"), second["STATE_stage"]) == (None, "seen")


@on_each
def test_composite_action_changes_inputs_as_its_runner_does(probe: Path, profile: Profile) -> None:
    """GitHub's loses the inputs of post; Gitea's uses those of the innermost composite."""
    around = [{"defaulted": "outer"}, {"defaulted": "inner"}]
    job = Runner(probe / "job", {"given": "x"}, action=probe, profile=profile, composites=around)
    main, post = printed(job.main()), printed(job.post())
    assert (main["INPUT_GIVEN"], post["INPUT_GIVEN"]) == ("x", "" if profile is GITHUB else "x")
    assert main["INPUT_DEFAULTED"] == ("inner" if profile is GITEA else "fallback")
    assert main["GITHUB_ACTION_PATH"] == str(probe / "job" / "composite")
