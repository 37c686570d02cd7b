"""Jobs whose main ends early or keeps running beside post. Also used by tools/sweep.py."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.e2e.conftest import VAULT
from tests.fake_api import FakeApi
from tests.fake_api.recording import RECORDINGS, Recording, parse
from tests.runner import ACT, GITHUB, Runner, StageResult

PASSTHROUGH = {**VAULT, "credential_id": "", "username": "me", "access_token": "ghp_0123"}
PASSTHROUGH["registry_url"] = "ghcr.io"
STEP = {"GITHUB_ACTION": "__reoclo_docker-auth"}
# Inputs, recording, runner and number of steps. The steps of a composite share GITHUB_ACTION; in
# act, main and post share their command files.
VARIANTS = {
    "vault": (VAULT, "slow-login", GITHUB, 1),
    "passthrough": (PASSTHROUGH, "passthrough", GITHUB, 1),
    "composite": (VAULT, "slow-login", GITHUB, 2),
    "act": (VAULT, "slow-login", ACT, 1),
}


def states(text: str) -> list[dict[str, Any]]:
    """Return the states in the content of a command file, in order."""
    return [json.loads(line[line.index("{") :]) for line in text.splitlines() if "{" in line]


def stages(text: str) -> list[str]:
    """Return the stages of these states."""
    return [state["stage"] for state in states(text)]


def processes(runner: Runner) -> dict[int, str]:
    """Return the command lines of a job's processes by process id, detached ones too."""
    mark = f"RUNNER_TEMP={runner.temp}".encode()
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # the process has exited
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                found[int(folder.name)] = (folder / "cmdline").read_text("utf-8", "replace")
    return found


def slow_login(name: str = "slow-login", *, delay: float, seconds: float) -> Recording:
    """Return a recording that may stop anywhere, of a login that takes a while.

    The API responds to the login request after a delay, and the server is logged in so many
    seconds after the request.
    """
    data = json.loads((RECORDINGS / f"{name}.json").read_text("utf-8"))
    login, poll, *_ = data["exchanges"]
    login["responses"][0]["delay"] = delay
    done = poll["responses"][-1]
    running = {**done["body"], "status": "running", "result": None, "completed_at": None}
    poll["responses"] = [{**done, "body": running, "lasts": {"seconds": seconds}}, done]
    for exchange in data["exchanges"]:
        exchange["times"] = {**exchange.get("times", {"most": 1}), "least": 0}
    return parse(name, data)


def check_cleanup(api: FakeApi, posts: Sequence[StageResult], *, seconds: float) -> str:
    """Check what must hold however main ended, and return what became of a `slow_login`."""
    sent = [seen for seen in api.requests if seen.method == "POST"]
    logins = [seen.at for seen in sent if "/login" in seen.path]
    logouts = [seen.at for seen in sent if seen.path.endswith("/logout")]
    levels = [level for post in posts for level, _ in post.log.annotations]
    assert all(post.exit_code == 0 for post in posts)
    assert "Traceback" not in "".join(post.output for post in posts)
    assert set(levels) <= {"warning"}
    assert len(levels) <= len(posts)
    if not logins:
        assert (logouts, levels) == ([], []), "logout or warning without a login"
        return "not requested"
    assert len(logouts) + len(levels) >= len(logins), "silent login"
    assert levels or logouts[-1] >= max(logins) + seconds, "logout before the login ended"
    return "warned" if levels else "logged out"


def cancel_at(folder: Path, variant: str, moment: float) -> str:
    """Run a job as in a container, cancel its last step, and return what became of the login.

    Main keeps running when the runner starts post, with the state that it reads now.

    Raises:
        AssertionError: A login outlives the job, or post sent a logout without a login.
    """
    inputs, recording, profile, count = VARIANTS[variant]
    with FakeApi([slow_login(recording, delay=0.3, seconds=0.6)], endless=True) as api:
        given = {**inputs, "api_url": api.url}
        composites: list[dict[str, str]] = [{}] if count > 1 else []
        *earlier, last = [
            Runner(folder, given, profile=profile, environment=STEP, composites=composites)
            for _ in range(count)
        ]
        assert all(step.main().exit_code == 0 for step in earlier)
        running = last.begin("main")
        time.sleep(moment)
        for state in states(running.paths["GITHUB_STATE"].read_text("utf-8"))[-1:]:
            last.set({"STATE_login": json.dumps(state)})
        posts = [last.post(), *(step.post() for step in earlier)]
        main = running.wait()
    outcome = check_cleanup(api, posts, seconds=0.6)
    assert main.exit_code in {0, 130}
    assert main.log.annotations == []
    logins = sum("/login" in seen.path for seen in api.requests)
    return "not requested" if logins < count and outcome != "warned" else outcome
