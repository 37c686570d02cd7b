"""What the end-to-end tests share: a job with the action as its step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fake_api import FakeApi
from tests.runner import Runner
from tests.runner.checkout import check_out

API_KEY = "rca_Zm9vYmFy0123456789"
SERVER_ID = "11111111-2222-4333-8444-555555555555"
SHIPPED = ("action.yml", "main.py", "post.py", "lib", "logout")
CREDENTIAL_ID = "66666666-7777-4888-9999-000000000000"

MakeRunner = Callable[..., Runner]


@pytest.fixture
def action_copy(tmp_path: Path) -> Path:
    """Check out what the action consists of, to a folder of its own."""
    copy = tmp_path / "action"
    check_out(copy, *SHIPPED)
    return copy


@pytest.fixture
def make_runner(tmp_path: Path) -> MakeRunner:
    """Make a job that uses the action with good inputs against a fake API."""

    def make(
        api: FakeApi | None = None, *, environment: dict[str, str] | None = None, **inputs: str
    ) -> Runner:
        given = {"api_key": API_KEY, "server_id": SERVER_ID, "credential_id": CREDENTIAL_ID}
        address = {"api_url": api.url} if api else {}
        return Runner(tmp_path, {**given, **address, **inputs}, environment=environment)

    return make
