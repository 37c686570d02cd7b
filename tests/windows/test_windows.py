"""The launcher, main and post with Node and CPython for Windows under Wine (`make windows`)."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from subprocess import DEVNULL, Popen, run
from typing import Any

import pytest

from tests.fake_api import FakeApi, recording

pytestmark = pytest.mark.windows
both_events = pytest.mark.parametrize("event", [0, 1], ids=["ctrl-c", "ctrl-break"])

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "windows"
NEWEST, OLDEST, TOO_OLD = (BUILD / f"python-{version}" for version in ("3.14", "3.10", "3.9"))

# Notes each run, adds to the state perhaps, and ends as after an access violation.
CRASH = """import os; open("runs", "a").write("x")
open(os.environ["GITHUB_STATE"], "a").write({!r}); os._exit(-0x3FFFFFFB)"""

MakeJob = Callable[..., "Job"]
Result = tuple[int, list[str]]  # exit code, kinds of annotations


class Job:
    """A job whose only step is the action, whose folder has blanks, `&` and `ü` in its name."""

    def __init__(self, folder: Path, api: FakeApi, pythons: tuple[Path, ...]) -> None:
        self.api, self.folder, self.action = api, folder, folder / "the action & ü"
        self.state, self.outputs = folder / "state", folder / "outputs"
        self.state.touch()
        self.outputs.touch()
        shutil.copytree(ROOT, self.action, ignore=shutil.ignore_patterns(".*", "build", "tests"))
        self.environment = {
            "PATH": os.environ["PATH"],
            "LC_ALL": "C.UTF-8",
            "WINEPREFIX": str(BUILD / "prefix"),
            "WINEDEBUG": "-all",
            "WINEPATH": ";".join(map(windows_path, pythons)),
            "GITHUB_ACTION": "login",
            "GITHUB_OUTPUT": windows_path(self.outputs),
            "GITHUB_STATE": windows_path(self.state),
            "INPUT_API_KEY": "rca_Zm9vYmFy0123456789",
            "INPUT_API_URL": api.url,
            "INPUT_CREDENTIAL_ID": "66666666-7777-4888-9999-000000000000",
            "INPUT_SERVER_ID": "11111111-2222-4333-8444-555555555555",
        }

    def start(self, stage: str) -> None:
        """Start main or post in a console, which Wine makes of a terminal."""
        if stage == "post" and self.login():
            self.environment["STATE_login"] = json.dumps(self.login())
        step = [BUILD / "node/node.exe", self.action / "lib/launcher" / f"{stage}.cjs"]
        console = [str(NEWEST / "python.exe"), "-BIS", str(ROOT / "tests/windows/console.py")]
        command = shlex.join(["wine", *console, *map(windows_path, step)])
        terminal = ["timeout", "60", "script", "--quiet", "--command", command, os.devnull]
        self._process = Popen(terminal, cwd=self.folder, env=self.environment, stdout=DEVNULL)

    def wait(self) -> Result:
        """Wait for the stage to end."""
        self._process.wait()
        output = (self.folder / "output").read_text("utf-8")
        code = int((self.folder / "exit-code").read_text("utf-8"))
        return code, re.findall(r"^::(error|warning|notice)\b", output, re.MULTILINE)

    def run(self, stage: str) -> Result:
        """Run main or post."""
        self.start(stage)
        return self.wait()

    def interrupt(self, event: int, python: str = "", seconds: float = 0) -> Result:
        """Send an event to the console so many seconds after Python started, and wait."""
        pgrep = ["pgrep", "-f", rf"python\.exe.*{python}"]
        wait_until(lambda: run(pgrep, check=False, stdout=DEVNULL).returncode == 0)
        time.sleep(seconds)
        (self.folder / str(event)).touch()
        return self.wait()

    def login(self) -> dict[str, Any]:
        """Return the last state that main saved."""
        text = self.state.read_text("utf-8")
        states = re.findall(r'^(?:login=)?(\{"version".*)', text, re.MULTILINE)
        return dict(json.loads(states[-1])) if states else {}


@pytest.fixture
def make_job(tmp_path: Path) -> Iterator[MakeJob]:
    """Return a function that makes a job with these recordings and these Pythons on PATH."""
    with ExitStack() as stack:

        def make(*recordings: str, pythons: tuple[Path, ...] = (NEWEST,)) -> Job:
            api = FakeApi([recording.load(name) for name in recordings])
            return Job(tmp_path, stack.enter_context(api), pythons)

        yield make


def windows_path(path: Path) -> str:
    return f"Z:{path}".replace("/", "\\")


def wait_until(condition: Callable[[], bool]) -> None:
    while not condition():  # no longer than pytest's timeout
        time.sleep(0.02)


def unusable(kind: str, folder: Path) -> Path:
    folder.mkdir()
    if kind == "without ssl":
        shutil.copytree(NEWEST, folder, copy_function=os.symlink, dirs_exist_ok=True)
        (folder / "lib" / "_ssl.pyd").unlink()
    elif kind == "without DLL":
        shutil.copyfile(NEWEST / "python.exe", folder / "python.exe")
    elif kind == "empty":
        (folder / "python.exe").touch()
    return TOO_OLD if kind == "too old" else folder


@pytest.mark.parametrize("python", [NEWEST, OLDEST], ids=lambda path: path.name)
def test_login_and_logout(make_job: MakeJob, python: Path) -> None:
    job = make_job("ghcr", pythons=(python,))
    assert job.run("main") == (0, [])
    assert job.login()["stage"] == "succeeded"
    assert "ghcr.io" in job.outputs.read_text("utf-8")
    assert b"\r" not in job.state.read_bytes() + job.outputs.read_bytes()
    assert job.run("post") == (0, [])
    assert job.api.calls()[:3] == ["login", "poll", "logout"]


@pytest.mark.parametrize("kind", ["missing", "too old", "empty", "without DLL", "without ssl"])
def test_next_python_is_tried(tmp_path: Path, make_job: MakeJob, kind: str) -> None:
    job = make_job("ghcr", pythons=(unusable(kind, tmp_path / "python"),))
    assert job.run("main") == (1, ["error"])
    assert job.run("post") == (0, [])
    assert job.api.requests == []
    job.environment["WINEPATH"] += f";{windows_path(OLDEST)}"
    assert job.run("main") == (0, [])


@pytest.mark.parametrize(("saved", "runs"), [("", 2), ("login={}\n", 1)], ids=["before", "after"])
def test_crash_is_one_error(tmp_path: Path, make_job: MakeJob, saved: str, runs: int) -> None:
    """No other Python is tried once the state has grown, because it could log in again."""
    job = make_job(pythons=(NEWEST, OLDEST))
    (job.action / "main.py").write_text(CRASH.format(saved), "utf-8")
    assert job.run("main") == (1, ["error"])
    assert (tmp_path / "runs").read_text("utf-8") == "x" * runs


def test_https_queries_no_wmi(make_job: MakeJob) -> None:
    """A WMI query crashes Python 3.14 under Wine 8."""
    job = make_job()
    job.environment |= {"INPUT_API_URL": "https://127.0.0.1:1", "INPUT_TIMEOUT": "1"}
    assert (*job.run("main"), job.login()["stage"]) == (1, ["error"], "failed")


@both_events
@pytest.mark.parametrize("seconds", [0, 0.1, 0.5])
def test_main_canceled_at_start(make_job: MakeJob, event: int, seconds: float) -> None:
    job = make_job("endless-login")
    job.start("main")
    assert job.interrupt(event, "main.py", seconds) == (130, [])


@both_events
def test_main_canceled_while_polling(make_job: MakeJob, event: int) -> None:
    """Post logs out. Wine passes SIGBREAK to Node, but ends Python."""
    job = make_job("slow-login")
    job.start("main")
    wait_until(lambda: "poll" in job.api.calls())
    assert job.interrupt(event) == (130, [])
    assert job.login()["stage"] == "accepted"
    assert job.run("post") == (0, [])
    assert "logout" in job.api.calls()


@both_events
def test_post_ignores_console_events(make_job: MakeJob, event: int) -> None:
    job = make_job("ghcr")
    assert job.run("main") == (0, [])
    job.start("post")
    assert job.interrupt(event, "post.py", 0.2) == (0, [])
    assert "logout" in job.api.calls()
