"""Issue forms: a bug report has what a maintainer needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
BUG = ROOT / ".github" / "ISSUE_TEMPLATE" / "bug.yml"


def is_required(field: dict[str, Any]) -> bool:
    """Return whether the form cannot be sent without a field, or without all of its boxes."""
    options = field["attributes"].get("options", [])
    if field["type"] == "checkboxes":
        return all(option.get("required") for option in options)
    return bool(field["validations"]["required"])


def test_bug_report_requires_version_runner_log_and_secrets_check() -> None:
    """Without these fields a bug cannot be reproduced, or its report leaks a secret."""
    body = yaml.safe_load(BUG.read_text("utf-8"))["body"]
    fields = {field["id"]: field for field in body if "id" in field}

    assert all(is_required(fields[name]) for name in ("version", "runner", "log", "secrets"))
