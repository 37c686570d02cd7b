"""Main and post side by side, and forged files beside them."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import pytest

from tests.e2e.conftest import MakeRunner
from tests.e2e.jobs import STEP, cancel_at, processes, slow_login
from tests.fake_api import FakeApi

# Each variant is canceled at so many moments, with so many seconds between them.
MOMENTS = {"vault": (12, 0.11), "passthrough": (12, 0.11), "composite": (6, 0.19), "act": (4, 0.15)}


@pytest.mark.parametrize(
    ("variant", "moment"),
    [(name, number * step) for name, (count, step) in MOMENTS.items() for number in range(count)],
)
def test_no_login_outlives_its_job(tmp_path: Path, variant: str, moment: float) -> None:
    """`make sweep` has more moments.

    In a composite action, post warns if its step has saved nothing, because it finds the state of
    the other step. In act, post empties the file that main writes its state to.
    """
    assert cancel_at(tmp_path, variant, moment) != "warned" or variant == "composite"


def test_forged_state_file_does_not_get_the_key(make_runner: MakeRunner) -> None:
    """The state of another API counts neither without this login's state nor beside it."""
    with FakeApi([]) as thief, FakeApi([slow_login(delay=0, seconds=0)]) as api:
        runner, without_state = (make_runner(api, environment=STEP) for _ in range(2))
        state = json.loads(runner.main().state["login"])
        [state_file] = (runner.temp / "_runner_file_commands").glob("docker-auth-*.state")
        forged = {**state, "id": str(uuid4()), "api_url": thief.url, "stage": "accepted"}
        state_file.write_text(json.dumps(forged) + "\n", "utf-8")
        lost, post = without_state.post(), runner.post()
    assert [level for level, _ in lost.log.annotations] == ["warning"]
    assert (post.exit_code, post.log.annotations) == (0, [])
    assert api.calls() == ["login", "poll", "logout", "poll"]
    assert thief.requests == []
    assert not state_file.exists()
    assert processes(runner) == {}
