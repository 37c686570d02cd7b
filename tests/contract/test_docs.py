"""The documents: what can be copied works, what they quote is there, and their links lead on."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
TABLE = README.partition("## Troubleshooting")[2].partition("\n## ")[0]
FIRST_CELLS = [line.split(" | ")[0] for line in TABLE.splitlines()[4:] if line.startswith("| ")]
LISTED = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
    cwd=ROOT,
    capture_output=True,
    check=True,
    text=True,
).stdout.splitlines()
DOCUMENTS = [name for name in LISTED if "_vendor" not in name]
BLOCKS = [
    pytest.param(block, id=f"{name}-{number}")
    for name in DOCUMENTS
    for number, block in enumerate(
        re.findall(r"```yaml\n(.*?)```", (ROOT / name).read_text("utf-8"), re.DOTALL)
    )
]
HEAD = "on: push\njobs:\n  job:\n    runs-on: ubuntu-latest\n"

# A text of the code: its characters, and None for each part that differs.
Template = list[str | None]
HOLE: Template = [None]


def as_workflow(block: str) -> str:
    """Make a whole workflow of a part of one."""
    loaded = yaml.safe_load(block)
    if "jobs" in loaded:
        return block
    steps = block if "steps" in loaded else f"steps:\n{block}"
    return HEAD + textwrap.indent(steps, "    ")


@pytest.mark.actionlint
@pytest.mark.parametrize("block", BLOCKS)
def test_each_example_of_a_document_can_be_copied(lint: Callable[[str], str], block: str) -> None:
    """It is right to actionlint, and our actions have the inputs and outputs that it names."""
    assert lint(as_workflow(block)) == ""


@pytest.mark.actionlint
@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("      retries: 3", 'input "retries" is not defined'),
        ("      username: ${{ steps.login.outputs.registry }}", 'property "registry"'),
        ("    if: steps.nobody.outcome == 'failure'", 'property "nobody"'),
    ],
    ids=["no such input", "no such output", "no such step"],
)
def test_an_example_that_cannot_be_copied_is_found(
    lint: Callable[[str], str], line: str, found: str
) -> None:
    """What the test before this one looks for it does find."""
    block = README.partition("### A self-hosted Reoclo API\n\n```yaml\n")[2].partition("```")[0]
    step = block.replace("steps:\n  - uses", "steps:\n  - id: login\n    uses")
    good = as_workflow(step + step.partition("steps:\n")[2].replace("id: login", "id: again"))

    assert lint(good) == ""
    assert found in lint(good + textwrap.indent(line, "    "))


def test_make_check_asks_actionlint() -> None:
    """The tests that need actionlint run where it is built, and cannot be skipped there."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    check = re.search(r"^check: .*\$\(ACTIONLINT\)(?:.*\n\t)*", makefile, re.MULTILINE)

    assert check
    assert "ACTIONLINT=$(ACTIONLINT) $(BIN)/python -m pytest --quiet -m actionlint" in check[0]


def templates() -> Iterator[Template]:
    """Give all texts of the code: constants, and f-strings with holes."""
    for path in (ROOT / "lib").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                yield [piece for part in node.values for piece in pieces(part)]
            elif isinstance(node, ast.Constant):
                yield pieces(node)
    launcher = (ROOT / "lib" / "launcher" / "launch.cjs").read_text("utf-8")
    for quoted, filled in re.findall(r'"([^"\n]*)"|`([^`]*)`', launcher):
        parts = re.split(r"\$\{[^}]*\}", quoted or filled)
        yield [piece for part in parts for piece in [None, *part]][1:]


def pieces(part: ast.expr) -> Template:
    """Give a constant as characters, and anything else as a hole."""
    return list(str(part.value)) if isinstance(part, ast.Constant) else HOLE


TEMPLATES = list(templates())
CONSTANTS = {"".join(map(str, text)) for text in TEMPLATES if text and None not in text}


def is_said(message: str) -> bool:
    """Tell whether a text of the code begins like this; an ellipsis stands for what differs."""
    return any(begins_like(template, message) for template in TEMPLATES)


def begins_like(template: Template, message: str) -> bool:
    """Hold a message against a text, whose holes are filled by other texts of the code."""
    if not message or not template:
        return not message
    if message[0] == "…":
        ends = [at for at, piece in enumerate(template, 1) if piece is None]
        later = range(min(ends), len(template) + 1) if ends else ()
        return any(begins_like(template[at:], message[1:]) for at in later)
    if template[0] is None:
        fitting = [text for text in CONSTANTS if message.startswith(text)]
        return any(begins_like(template[1:], message[len(text) :]) for text in fitting)
    same = next(
        (
            at
            for at, (piece, own) in enumerate(zip(template, message, strict=False))
            if piece != own
        ),
        min(len(template), len(message)),
    )
    return same > 0 and begins_like(template[same:], message[same:])


@pytest.mark.parametrize("cell", FIRST_CELLS)
def test_each_message_of_the_troubleshooting_is_one_of_the_code(cell: str) -> None:
    """Who searches the README for what the log says is not led astray by words we never say."""
    message, *signs = re.findall(r"`([^`]+)`", cell)
    if cell.startswith("| … with"):
        message, signs = "The login to … failed", [message]

    assert is_said(message)
    assert {sign.lower() for sign in signs} <= CONSTANTS


@pytest.mark.parametrize(
    "message",
    [
        "The input … is missing or blank",
        "The Reoclo API does not like the key (401)",
        "The Reoclo API does not accept the key (499)",
        "The action failed",
        "The … broke",
        "reoclo/docker-auth needs Python 3.10 or newer",
    ],
)
def test_what_the_code_never_says_is_found(message: str) -> None:
    """What the test before this one looks for it does find."""
    assert len(FIRST_CELLS) > 40
    assert not is_said(message)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_make_command_has_its_target(name: str) -> None:
    """`make x` is in no document without a target x in the Makefile."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))

    text = (ROOT / name).read_text("utf-8")
    assert set(re.findall(r"(?:`|^)make ([a-z]+)", text, re.MULTILINE)) <= targets


def programs() -> list[str]:
    """Give all Python programs of ours that a document names."""
    texts = "".join((ROOT / name).read_text("utf-8") for name in DOCUMENTS)
    return sorted(set(re.findall(r"-m (?:tests|tools)\.[\w.]*\w", texts)))


@pytest.mark.parametrize("program", programs())
def test_each_program_that_is_named_explains_itself(program: str) -> None:
    """A program of ours that a document names is there, and has a --help."""
    done = subprocess.run(
        [sys.executable, *program.split(), "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert "usage:" in done.stdout


def anchors(path: Path) -> set[str]:
    """Give what GitHub calls the headings of a document."""
    headings = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_link_leads_somewhere(name: str) -> None:
    """Each link to a file of ours names one that is there, and a heading that it has."""
    path = ROOT / name
    links = re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)]+))?\)", path.read_text("utf-8"))

    for file, anchor in links:
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), file
        assert not anchor or anchor in anchors(target), anchor
