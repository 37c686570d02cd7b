"""The key leaves the action in one line alone: the one that has the runner hide it.

Every recording is played to the real processes, with debug lines on, and so are APIs that send
back what they were sent. All that the processes leave behind is searched.
"""

from __future__ import annotations

import base64
import html
import json
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.e2e.conftest import CREDENTIAL_ID, SERVER_ID
from tests.fake_api import FakeApi, recording
from tests.integration.conversation import accepted, login, logout, play, polls, without_end
from tests.runner import GITHUB, PROFILES, Profile, Runner, Stage, StageResult
from tests.runner.checkout import ROOT
from tests.runner.processes import Process

# Not alone letters and digits: each encoding spells it in its own way.
API_KEY = 'rca_Zm9v/YmFy+0123"45\\67&89<~>'
AT_ONCE = 8
# How long main waits; these recordings would keep it for ever, or for a minute.
TIMEOUT = "20"
SHORT = "2"
WITHOUT_END = {
    *("endless-login", "lost-answer", "lost-polls", "rate-limited-for-a-minute"),
    *("rate-limit-exceeded", "agent-offline"),
}


def spellings(key: str) -> dict[str, bytes]:
    """Spell a key in every way that a runner masks, and in some that none does."""
    aligned = (
        base64.b64encode(key.encode()[start:-1][: len(key) // 3 * 3 - 3]) for start in range(3)
    )
    return {
        "as it is": key.encode(),
        "JSON": json.dumps(key)[1:-1].encode(),
        "JSON with slashes escaped": json.dumps(key)[1:-1].replace("/", "\\/").encode(),
        "JSON with all escaped": "".join(f"\\u{ord(letter):04x}" for letter in key).encode(),
        "URL": quote(key, safe="").encode(),
        "URL with slashes": quote(key).encode(),
        "HTML": html.escape(key).encode(),
        "repr": repr(key)[1:-1].encode(),
        **{f"base64 from byte {start}": form for start, form in enumerate(aligned)},
        "hex": key.encode().hex().encode(),
        "the beginning": key[:12].encode(),
        "the end": key[-12:].encode(),
    }


# A token like the key file of a service account.
TOKEN = '{\n  "type": "service_account",\n  "private_key": "Zk9/+x8s7d6f5"\n}'
PASSTHROUGH = {"username": "octocat", "access_token": TOKEN, "registry_url": "ghcr.io"}
SPELLINGS = {
    **spellings(API_KEY),
    **{
        f"a line of the token, {name}": form
        for name, form in spellings(TOKEN.split("\n")[2].strip()).items()
    },
}


# The key first; then, where there is one, the lines of the token that are long enough.
MASKS = [
    f"::add-mask::{secret}\n" for secret in (API_KEY, *TOKEN.replace("  ", "").split("\n")[1:3])
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """All that a job left behind."""

    stages: Mapping[Stage, StageResult]
    processes: Mapping[Stage, set[Process]]
    files: Mapping[str, bytes]
    requests: int
    is_composite: bool = field(default=False)


def run(  # noqa: PLR0913 each is what it says
    folder: Path,
    api: FakeApi,
    timeout: str,
    *,
    action: Path = ROOT,
    credential: Mapping[str, str] | None = None,
    profile: Profile = GITHUB,
    composites: Sequence[Mapping[str, str]] = (),
) -> Job:
    """Run main and post, and keep all that leaves them."""
    inputs = {"api_key": API_KEY, "server_id": SERVER_ID, "api_url": api.url, "timeout": timeout}
    runner = Runner(
        folder,
        {**inputs, **(credential or {"credential_id": CREDENTIAL_ID})},
        action=action,
        profile=profile,
        composites=composites,
        environment={"RUNNER_DEBUG": "1"},
    )
    results, processes = {}, {}
    for stage in STAGES if action == ROOT else STAGES[:1]:
        results[stage], processes[stage] = watch(runner, stage)
    files = {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return Job(stages=results, processes=processes, files=files, requests=len(api.requests))


STAGES: tuple[Stage, ...] = ("main", "post")


def watch(runner: Runner, stage: Stage) -> tuple[StageResult, set[Process]]:
    """Run a stage, and look at its processes again and again."""
    running = runner.begin(stage)
    seen: set[Process] = set()
    while running.is_running():
        seen |= set(running.processes())
        threading.Event().wait(0.05)
    return running.wait(), seen


Jobs = Mapping[str, "Future[Job]"]


@contextmanager
def run_all(folder: Path, apis: Mapping[str, FakeApi]) -> Iterator[Jobs]:
    """Run a job against each API, some at once, the longest first, dealt out to the runners."""

    def played(name: str, profile: Profile) -> Job:
        with apis[name] as api:
            timeout = SHORT if name in WITHOUT_END else TIMEOUT
            return run(
                folder / str(uuid.uuid4()),
                api,
                timeout,
                action=ROOT / "logout" if name == "logout-only" else ROOT,
                credential=PASSTHROUGH if name.startswith(("pass", "logout-only")) else None,
                profile=profile,
            )

    by_length = sorted(apis, key=lambda name: (not name.startswith("lost"), name))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        dealt = zip(by_length, cycle(PROFILES), strict=False)
        yield {name: pool.submit(played, name, profile) for name, profile in dealt}


def found_in(content: bytes) -> list[str]:
    """Give the names of the spellings of the key that are in something."""
    return [name for name, form in SPELLINGS.items() if form in content]


def check(job: Job) -> None:
    """Check that nothing that left a job has the key in it, but the lines that mask it."""
    for result in job.stages.values():
        lines = result.output.splitlines(keepends=True)
        others = [line for line in lines if line not in MASKS]
        assert lines[0] == MASKS[0]
        assert len(lines) - len(others) in {1, len(MASKS)}
        assert found_in("".join(others).encode()) == []
        assert found_in(repr((result.outputs, result.state)).encode()) == []
        assert "Traceback" not in result.output
    assert {
        path: found_in(content) for path, content in job.files.items() if found_in(content)
    } == {}
    for processes in job.processes.values():
        check_processes(processes)


def check_processes(processes: set[Process]) -> None:
    """Check that both programs were seen, and neither was given the key but as the input."""
    lines = [process.command_line for process in processes]
    assert any(b"node" in line for line in lines)
    assert any(b"python" in line for line in lines)
    assert {line for line in lines if found_in(line)} == set()
    variables = {entry for process in processes for entry in process.environment}
    assert {entry for entry in variables if found_in(entry)} <= {
        f"INPUT_API_KEY={API_KEY}".encode(),
        f"INPUT_ACCESS_TOKEN={TOKEN}".encode(),
    }


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    """Run a job against every recording there is."""
    apis = {name: FakeApi([recording.load(name)], endless=True) for name in recording.names()}
    with run_all(tmp_path_factory.mktemp("recorded"), apis) as jobs:
        yield jobs


@pytest.mark.parametrize("name", recording.names())
def test_the_key_leaves_no_scenario(recorded: Jobs, name: str) -> None:
    """Whatever was recorded, the key is in no line, file, output or command line of it."""
    job = recorded[name].result()
    assert job.requests
    check(job)


REQUEST = (
    "POST /api/automation/v1/registry-auth/login HTTP/1.1\r\nHost: api.reoclo.com\r\n"
    f"Authorization: Bearer {API_KEY}\r\nContent-Type: application/json\r\n\r\n"
    f'{{"server_id": "{SERVER_ID}"}}'
)
DONE = {"status": "completed", "result": {"exit_code": 0}}


def failed(**result: str) -> dict[str, Any]:
    """Make an operation that ended badly and says so."""
    return {"status": "failed", "result": {"exit_code": 1, **result}}


def echoes(said: str) -> dict[str, FakeApi]:
    """Make APIs that say something in each place where one can."""
    body = "".join(f"\\u{ord(letter):04x}" for letter in said)
    headers = {
        "Location": quote(said, safe="/:+"),
        "X-Request": quote(said),
        "Retry-After": "1 " + API_KEY,
    }
    strange = {"status": 403, "body": f'{{"detail": "{"x" * 590}{body}"}}'}
    done, fine = polls("login", DONE), logout({"status": 204})
    return {
        "detail": play(login({"status": 403, "body": {"detail": said}})),
        "detail, cut": play(login({"status": 403, "body": {"detail": "x" * 590 + API_KEY}})),
        "detail, all letters escaped": play(login(strange)),
        "fields": play(login({"status": 422, "body": {"detail": [{"loc": [said], "msg": said}]}})),
        "nested": play(login({"status": 422, "body": {"detail": [[said, {said: said}]]}})),
        "a page": play(login({"status": 400, "body": f"<html>{said}</html>"})),
        "headers": play(login({"status": 302, "headers": headers, "body": {"detail": said}})),
        "a bad address": play(
            login({"status": 302, "headers": {"Location": "http://[" + API_KEY}})
        ),
        "operation": play(login(accepted(operation_id=said))),
        "registry": play(login(accepted(registry_url=f"ghcr.io/{API_KEY}"))),
        "type": play(login(accepted(registry_type=said))),
        "stdout": play(login(accepted()), polls("login", failed(stdout=said))),
        "stderr": play(login(accepted()), polls("login", failed(stderr=said * 9))),
        "colored stderr": play(
            login(accepted()), polls("login", failed(stderr="\x1b[0m\x1b\x1b[1m[1m".join(API_KEY)))
        ),
        "server": play(login(accepted()), polls("login", {**failed(), "server_name": said})),
        "status": play(
            login(accepted()),
            without_end(polls("login", {"status": said})),
            without_end(logout({"status": 403, "body": {"detail": said}})),
        ),
        "good server": play(login(accepted()), polls("login", {**DONE, "server_name": said}), fine),
        "poll": play(
            login(accepted()), polls("login", {}) | {"responses": [strange | {"lasts": {}}]}, fine
        ),
        "logout": play(login(accepted()), done, logout({"status": 403, "body": {"detail": said}})),
        "logout's stderr": play(
            login(accepted()),
            done,
            logout({"body": {"operation_id": "<logout_operation>"}}),
            polls("logout", failed(stderr=said)),
        ),
    }


ECHOES = {
    **echoes(REQUEST),
    **{
        f"{place}, in base64": api
        for place, api in echoes(base64.b64encode(REQUEST.encode()).decode()).items()
        if place in {"detail", "stderr", "server", "logout"}
    },
}
WITHOUT_END |= {"status"}


@pytest.fixture(scope="module")
def echoed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    """Run a job against every API that sends back what it was sent."""
    with run_all(tmp_path_factory.mktemp("echoed"), ECHOES) as jobs:
        yield jobs


@pytest.mark.parametrize("place", ECHOES)
def test_an_echo_of_the_request_is_told_without_the_key(echoed: Jobs, place: str) -> None:
    """Wherever an API or a proxy repeats the request, what is told of it has no key in it."""
    job = echoed[place].result()
    assert job.requests
    assert job.stages["main"].exit_code == (0 if place.startswith(("good", "logout")) else 1)
    check(job)


def test_a_composite_action_keeps_the_key_in_its_state_alone(tmp_path: Path) -> None:
    """There post is handed the key, and no other file, line or command line has it."""
    with FakeApi([recording.load("ghcr")], endless=True) as api:
        job = run(tmp_path, api, TIMEOUT, composites=[{}])

    for result in job.stages.values():
        lines = set(result.output.splitlines()) - {f"::add-mask::{API_KEY}"}
        assert found_in("\n".join(lines).encode()) == []
        assert found_in(repr(result.outputs).encode()) == []
    [kept] = [path for path, content in job.files.items() if found_in(content)]
    assert "save_state_" in kept
    assert json.loads(job.stages["main"].state["login"])["api_key"] == API_KEY
    started = {process.command_line for seen in job.processes.values() for process in seen}
    assert {line for line in started if found_in(line)} == set()


@pytest.mark.parametrize(
    "malformed",
    [
        *("Q7z", "Q7zK", "ghp_Q7zK0123456789", "rk_t_Q7zK0123456789", "rca_Q7zK 0123456789"),
        *(
            "rca_Q7zK\nQ7zK0123",
            "Q7zK::error::Q7zK",
            "::Q7zK",
            ":Q7zK",
            "##[error]Q7zK",
            '"rca_Q7zK"',
        ),
        *("rca_Q7zK\u2028::Q7zK", "rca_Q7zK\x1b[0mx", "rca_Q7zK\udcff"),
    ],
)
def test_a_malformed_key_is_not_echoed_either(
    tmp_path: Path, profile: Profile, malformed: str
) -> None:
    """What is refused as a key may be a secret all the same: only masks have a part of it."""
    inputs = {"api_key": malformed, "server_id": SERVER_ID, "credential_id": CREDENTIAL_ID}
    runner = Runner(tmp_path, inputs, profile=profile, environment={"RUNNER_DEBUG": "1"})
    for stage in STAGES:
        result = runner.begin(stage).wait()
        others = [line for line in result.output.split("\n") if not line.startswith("::add-mask::")]
        assert "Q7z" not in "\n".join(others)
        assert {name for name, _, _ in result.log.commands} <= {"add-mask", "error"}
    assert [path for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size] == []
