"""The examples: each is a workflow that can be copied, and the list of them is whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.yml"))


@pytest.mark.actionlint
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_each_example_can_be_copied(lint: Callable[[str], str], path: Path) -> None:
    """It is right to actionlint, and our actions have the inputs and outputs that it names."""
    text = path.read_text("utf-8").replace("uses: https://github.com/", "uses: ")

    assert "uses: reoclo/docker-auth@v1\n" in text
    assert lint(text) == ""


def test_each_example_is_listed() -> None:
    """Who looks for an example finds it in the page about them."""
    page = (ROOT / "examples" / "README.md").read_text("utf-8")

    assert len(EXAMPLES) >= 7
    assert [path.name for path in EXAMPLES if f"]({path.name})" not in page] == []
