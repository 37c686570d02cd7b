"""SECURITY.md: each threat names the tests that hold the defence, and they are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SECURITY = (ROOT / "SECURITY.md").read_text("utf-8")


def test_every_threat_names_tests_that_exist() -> None:
    """No line of the table promises what nothing holds."""
    table = SECURITY.partition("## What it defends against")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]

    assert len(rows) > 5
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row)
        assert named, row
        for path, name in named:
            assert f"def {name}(" in (ROOT / path).read_text("utf-8"), name


def test_its_links_lead_somewhere() -> None:
    """Each link to the README is to a heading of it."""
    readme = (ROOT / "README.md").read_text("utf-8")
    headings = re.findall(r"^#+ (.+)$", readme, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}

    linked = re.findall(r"\(README\.md#([\w-]+)\)", SECURITY)
    assert linked
    assert set(linked) <= anchors
