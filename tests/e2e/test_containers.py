"""Main and post side by side, and files beside them that are forged or damaged."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from uuid import uuid4

import pytest

from tests.e2e.conftest import LOGIN_AND_LOGOUT, MakeRunner
from tests.e2e.jobs import STEP, cancel_at, processes, slow_login
from tests.fake_api import FakeApi
from tests.runner import Runner

PREFIX = f"docker-auth-{hashlib.sha256(STEP['GITHUB_ACTION'].encode()).hexdigest()[:16]}"


@pytest.mark.parametrize("moment", range(12))
@pytest.mark.parametrize("variant", ["vault", "passthrough"])
def test_no_login_outlives_its_job(tmp_path: Path, variant: str, moment: int) -> None:
    """Each is a cancellation at another moment; `make sweep` has more of them."""
    assert cancel_at(tmp_path, variant, moment * 0.11) != "warned"


@pytest.mark.parametrize("moment", range(6))
def test_no_login_outlives_its_composite_action(tmp_path: Path, moment: int) -> None:
    """The post of a step that has saved nothing warns, because it finds the other step's state."""
    cancel_at(tmp_path, "composite", moment * 0.19)


@pytest.mark.parametrize("moment", range(4))
def test_no_login_outlives_its_job_in_act(tmp_path: Path, moment: int) -> None:
    """There post empties the file that main writes its state to."""
    assert cancel_at(tmp_path, "act", moment * 0.15) != "warned"


def command_files(runner: Runner) -> Path:
    """Return the folder of the command files, which exists from now on."""
    folder = runner.temp / "_runner_file_commands"
    folder.mkdir(exist_ok=True)
    return folder


def test_forged_files_do_not_get_the_key(make_runner: MakeRunner, tmp_path: Path) -> None:
    """The state of another API counts neither without this login's state nor beside it."""
    with FakeApi([]) as thief, FakeApi([slow_login(delay=0, seconds=0)]) as api:
        runner, without_state = (make_runner(api, environment=STEP) for _ in range(2))
        state = json.loads(runner.main().state["login"])
        [state_file] = command_files(runner).glob(f"{PREFIX}-*.state")
        mode = state_file.stat().st_mode & 0o777
        forged = {**state, "id": str(uuid4()), "api_url": thief.url, "stage": "accepted"}
        state_file.write_text(json.dumps(forged) + "\n", "utf-8")
        (command_files(runner) / f"{PREFIX}-{state['id']}.stop").symlink_to(tmp_path / "target")
        lost, post = without_state.post(), runner.post()
    assert mode == 0o600
    assert [level for level, _ in lost.log.annotations] == ["warning"]
    assert (post.exit_code, post.log.annotations) == (0, [])
    assert api.calls() == LOGIN_AND_LOGOUT
    assert thief.requests == []
    assert not (tmp_path / "target").exists()
    assert not state_file.exists()
    assert processes(runner) == {}
