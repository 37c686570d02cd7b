"""Documents and examples: complete tables, links that resolve, workflows that can be copied."""

from __future__ import annotations

import itertools
import re
import socket
from pathlib import Path
from typing import Any

import pytest
import yaml
from requests.exceptions import ProxyError

from lib import hints
from lib.api.faults import classify

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ["README.md", "SECURITY.md", *sorted(f"docs/{p.name}" for p in ROOT.glob("docs/*.md"))]
DOCUMENTS = [*SHIPPED, "CONTRIBUTING.md", "examples/README.md"]
EXAMPLES = sorted(f"examples/{path.name}" for path in ROOT.glob("examples/*.yml"))
# The archive of a release leaves these out (.gitattributes), so shipped documents link to GitHub.
LEFT_OUT = {".github", "examples", "fixtures", "tests", "tools"}
# A text in JavaScript.
TEXT = re.compile(r'"([^"\n]*)"|`([^`\n]*)`')
GITHUB = re.compile(r"https://github\.com/reoclo/docker-auth/(?:blob|tree)/(?:v1|main)/([^)#\s]+)")


def read(name: str) -> str:
    """Return the text of a file of the repository."""
    return (ROOT / name).read_text("utf-8")


def steps(name: str) -> list[dict[str, Any]]:
    """Return the steps with this action and inputs in a workflow, or in a document's YAML."""
    text = read(name)
    sources = [text] if name.endswith(".yml") else re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    blocks = list(map(yaml.safe_load, sources))
    parts = [part for block in blocks for part in (block, *block.get("jobs", {}).values())]
    found = [step for part in parts for step in part.get("steps", [])]
    return [s for s in found if "reoclo/docker-auth" in s.get("uses", "") and "with" in s]


def rows(name: str, heading: str) -> dict[str, list[str]]:
    """Return the cells of each table row in a section, by the name in its first cell."""
    section = re.split(r"\n#+ ", read(name).partition(f"# {heading}\n")[2])[0]
    table = [line.split("|")[1:-1] for line in section.splitlines() if line.startswith("| `")]
    return {row[0].strip(" `"): [cell.strip() for cell in row[1:]] for row in table}


def anchors(name: str) -> set[str]:
    """Return the anchors of a document: its headings as GitHub names them, and its own ids."""
    text = re.sub(r"```.*?```", "", read(name), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
    return slugs | set(re.findall(r'<a id="([^"]+)">', text))


def links(name: str) -> list[tuple[str, str]]:
    """Return the relative links of a document, as path from the root and anchor."""
    text = re.sub(r"```.*?```|`[^`\n]*`", "", read(name), flags=re.DOTALL)
    found = re.findall(r"\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)", text)
    base = (ROOT / name).parent
    return [
        ((base / path).resolve().relative_to(ROOT).as_posix() if path else name, anchor)
        for path, anchor in found
    ]


@pytest.mark.parametrize(
    ("action", "document", "heading"),
    [
        ("action.yml", "README.md", "Inputs"),
        ("logout/action.yml", "docs/cleanup.md", "Log out in a separate job"),
    ],
)
def test_inputs_are_documented(action: str, document: str, heading: str) -> None:
    """Each input has a row with its default and whether it is required, and no other has."""
    expected = {}
    for name, about in yaml.safe_load(read(action))["inputs"].items():
        default = f"`{about['default']}`" if "default" in about else ""
        expected[name] = ["yes" if about["required"] else "no", default]
    assert {name: cells[:2] for name, cells in rows(document, heading).items()} == expected


def test_outputs_are_documented() -> None:
    assert list(rows("README.md", "Outputs")) == list(yaml.safe_load(read("action.yml"))["outputs"])


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_resolve(name: str) -> None:
    """Each relative link names a file, and an anchor that the file has."""
    for path, anchor in links(name):
        assert (ROOT / path).exists(), path
        assert not anchor or anchor in anchors(path), f"{path}#{anchor}"
        assert name not in SHIPPED or path.partition("/")[0] not in LEFT_OUT
    assert [path for path in GITHUB.findall(read(name)) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("name", [*SHIPPED, *EXAMPLES])
def test_workflows_use_existing_inputs_and_outputs(name: str) -> None:
    """Each step sets the required inputs and no unknown ones."""
    found = steps(name)
    for step in found:
        folder = "logout/" if "/logout@" in step["uses"] else ""
        inputs = yaml.safe_load(read(f"{folder}action.yml"))["inputs"]
        required = {key for key, about in inputs.items() if about["required"]}
        assert required <= step["with"].keys() <= inputs.keys()
    ids = "|".join(step.get("id", "-") for step in found)
    outputs = re.findall(rf"steps\.(?:{ids})\.outputs\.(\w+)", read(name))
    assert set(outputs) <= yaml.safe_load(read("action.yml"))["outputs"].keys()
    assert found or name in SHIPPED


def test_readme_has_at_most_300_lines() -> None:
    assert len(read("README.md").splitlines()) <= 300


def test_each_failure_has_its_section() -> None:
    """Each message links to a section of the troubleshooting guide, and no section is unused."""
    tables = [table.values() for table in vars(hints).values() if isinstance(table, dict)]
    entries = itertools.chain(vars(hints).values(), *tables)
    anchored = {entry.anchor for entry in entries if isinstance(entry, hints.Hint)}
    by_name = {hints.INVALID_INPUT, hints.MISSING_INPUT, hints.LOGOUT_FAILED}
    by_name |= {hints.OUTCOME_UNKNOWN, hints.LATE_LOGIN, hints.DAMAGED_STATE}
    launcher = re.findall(r'annotate\(.*"([a-z-]+)"\);', read("lib/launcher/run.cjs"))
    sections = re.findall(r'<a id="([^"]+)"', read("docs/troubleshooting.md"))
    assert sorted(sections) == sorted({*anchored, *by_name, *launcher})


def printed() -> str:
    """Return what main and post print: the snapshots, and errors of a proxy, which have none."""
    snapshots = [path.read_text("utf-8") for path in ROOT.glob("tests/snapshots/*.txt")]
    causes = OSError("Tunnel connection failed: 407 X"), ProxyError(socket.gaierror())
    return "\n".join([*snapshots, *(f"::error::{classify(each, sent=False)}" for each in causes)])


def launcher_texts() -> list[str]:
    """Return a pattern for each message of the launcher, whose values vary."""
    source = "".join(read(f"lib/launcher/{name}.cjs") for name in ("report", "run"))
    source = re.sub(r'["`] \+\s+["`]', "", source)
    texts = [re.split(r"\$\{[^}]*\}", "".join(each)) for each in TEXT.findall(source)]
    return [".+".join(map(re.escape, parts)) for parts in texts if len(parts[0]) > 20]


def test_sample_messages_are_printed() -> None:
    """Each sample in the troubleshooting guide is a line of a log, where … stands for any text."""
    blocks = re.findall(r"```text\n(.*?)```", read("docs/troubleshooting.md"), re.DOTALL)
    log, launcher = printed(), launcher_texts()
    unknown = []
    for line in "".join(blocks).splitlines():
        level, _, message = line.partition(": ")
        pattern = ".*".join(map(re.escape, f"::{level.lower()}::{message}".split("…")))
        is_of_launcher = any(re.match(text, message) for text in launcher)
        if not (is_of_launcher or re.search(f"^{pattern}$", log, re.MULTILINE)):
            unknown.append(line)
    assert len(blocks) > 30
    assert unknown == []
