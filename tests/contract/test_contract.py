"""What is said in several places must be said alike: action.yml, code, README, vendored code."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from lib import inputs
from lib.environment import Environment
from lib.transport import USER_AGENT

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
GOOD = {
    "INPUT_API_KEY": "rca_Zm9vYmFy0123456789",
    "INPUT_SERVER_ID": "11111111-2222-4333-8444-555555555555",
    "INPUT_CREDENTIAL_ID": "66666666-7777-4888-9999-000000000000",
}


@pytest.fixture(scope="module")
def action() -> dict[str, Any]:
    """Read action.yml."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    return loaded


def test_action_yml_is_fit_for_the_marketplace(action: dict[str, Any]) -> None:
    """It has a name, a description under 125 characters, an author and a branding."""
    assert len(action["description"]) < 125
    assert action["name"]
    assert action["author"]
    assert set(action["branding"]) == {"icon", "color"}


def test_action_yml_starts_both_stages_by_the_launcher(action: dict[str, Any]) -> None:
    """Main and post are files that exist, post runs always, and there is no pre."""
    runs = action["runs"]

    assert runs == {
        "using": "node24",
        "main": "lib/launcher/main.cjs",
        "post": "lib/launcher/post.cjs",
        "post-if": "always()",
    }
    assert all((ROOT / runs[stage]).is_file() for stage in ("main", "post"))


def test_the_defaults_of_action_yml_are_those_of_the_code(action: dict[str, Any]) -> None:
    """An input that is left out means the same to the runner and to the code."""
    given = {
        f"INPUT_{name.upper()}": about["default"]
        for name, about in action["inputs"].items()
        if "default" in about
    }

    assert inputs.read_inputs(Environment({**GOOD, **given})) == inputs.read_inputs(
        Environment(GOOD)
    )


def test_the_readme_lists_every_input(action: dict[str, Any]) -> None:
    """Each input has a row with its default and whether it is required."""
    section = README.partition("\n## Inputs\n")[2].partition("\n## ")[0]
    for name, about in action["inputs"].items():
        [row] = [line for line in section.splitlines() if line.startswith(f"| `{name}` | ")]
        cells = [cell.strip() for cell in row.split("|")]
        assert cells[2] == ("yes" if about["required"] else "no")
        assert cells[3] == (f"`{about['default']}`" if "default" in about else "")


def test_the_readme_lists_every_output(action: dict[str, Any]) -> None:
    """Each output has a row."""
    rows = [line for line in README.splitlines() if line.startswith("| `")]

    for name in action["outputs"]:
        assert [row for row in rows if row.startswith(f"| `{name}` |")]


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_the_examples_of_the_readme_use_inputs_that_exist(
    action: dict[str, Any], block: str
) -> None:
    """Each example is YAML, and gives the action inputs that it has and all it requires."""
    logout = yaml.safe_load((ROOT / "logout" / "action.yml").read_text("utf-8"))
    uses = [step for step in steps(yaml.safe_load(block)) if "docker-auth" in step.get("uses", "")]

    assert uses
    for step in uses:
        about = (logout if "/logout@" in step["uses"] else action)["inputs"]
        needed = {name for name, rules in about.items() if rules["required"]}
        assert needed <= step["with"].keys() <= about.keys()


def steps(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Give all steps of a workflow, or of a part of one."""
    jobs = data.get("jobs", {}).values()
    return [step for part in [data, *jobs] for step in part.get("steps", [])]


def test_the_readme_names_the_commands() -> None:
    """The README has the two commands that a newcomer needs."""
    assert "make demo" in README
    assert "make test" in README


def test_the_version_is_said_once() -> None:
    """What the action calls itself at the API is the project's version."""
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)

    assert version
    assert f"reoclo-docker-auth/{version[1]}" == USER_AGENT


def test_every_shipped_byte_is_the_published_wheels() -> None:
    """lib/_vendor is the locked wheels, byte for byte: nothing missing, changed or added."""
    done = subprocess.run(
        [sys.executable, "tools/vendor.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def test_nothing_compiled_is_shipped() -> None:
    """No file that git tracks is a program or runs when Python starts."""
    refused = {".so", ".pyd", ".dll", ".dylib", ".pyc", ".pth", ".exe"}

    assert not [path for path in (ROOT / "lib").rglob("*") if path.suffix in refused]
