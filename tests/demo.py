"""Demo: jobs that use the action, against the fake Reoclo API, as users and auditors see them."""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tests.fake_api import FakeApi, load, names
from tests.runner import Runner, StageResult

API_KEY = "rca_ZGVtby1rZXktbm90LWEtc2VjcmV0"
SERVER_ID = "5f0c8a1e-3d52-4b7e-9c1a-2e6f7d8b9a10"
CREDENTIAL_ID = "c2a4e6f8-1b3d-4f5a-8c7e-9d0b1a2c3e4f"
PASSTHROUGH = {
    "credential_id": "",
    "registry_url": "ghcr.io",
    "username": "octocat",
    "access_token": "demo-token-not-a-secret",
}

WORKFLOW = """\
    - uses: reoclo/docker-auth@v1
      id: login
      with:
        api_key: ${{ secrets.REOCLO_API_KEY }}
        server_id: ${{ vars.REOCLO_SERVER_ID }}
        credential_id: ${{ vars.REOCLO_GHCR_CREDENTIAL_ID }}"""


class Job(NamedTuple):
    """A job and the expected exit code of its login; None for any."""

    title: str
    recording: str
    code: int | None
    is_canceled: bool = False
    of_login: str = ""
    of_post: str = ""


JOBS = {
    "good": Job("The login succeeds", "ghcr", 0),
    "refused": Job(
        "The registry rejects the login",
        "refused-by-registry",
        1,
        of_login="; GitHub also shows the error as an annotation",
    ),
    "cancelled": Job(
        "The job is canceled during a login that takes two seconds",
        "slow-login",
        130,
        is_canceled=True,
        of_post=", which waits for the login and logs out",
    ),
}
BOLD, RED, YELLOW, CYAN = "1", "31", "33", "36"
_COLORS = {"Error:": RED, "Warning:": YELLOW}


def main() -> int:
    """Run the command line, and return 0 if every job ended as expected."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    titles = "\n".join(f"  {name:28} {title}" for name, title in _recordings().items())
    parser = argparse.ArgumentParser(
        prog="python -m tests.demo",
        description=__doc__,
        epilog=f"recordings:\n{titles}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    about = f"{', '.join(JOBS)} (default: all three), or a recording"
    parser.add_argument("jobs", nargs="*", metavar="JOB", help=about)
    jobs = parser.parse_args().jobs or list(JOBS)
    unknown = set(jobs) - JOBS.keys() - set(_recordings())
    if unknown:
        parser.error(f"unknown job {unknown.pop()!r}; choose {', '.join(JOBS)}, or a recording")
    print("Jobs with this step run against a fake Reoclo API on your machine:\n")
    print(_painted(WORKFLOW, CYAN))
    failed = [name for name in jobs if not _show_job(name)]
    return 1 if failed else 0


def _recordings() -> dict[str, str]:
    """Return the title of each recording that begins with a login, by name."""
    loaded = map(load, names())
    return {entry.name: entry.title for entry in loaded if "/login" in entry.exchanges[0].path}


def _show_job(name: str) -> bool:
    """Show main and post of a job, and return whether they ended as expected."""
    job = JOBS.get(name) or Job(f"{_recordings()[name]} ({name})", name, None)
    inputs = {"api_key": API_KEY, "server_id": SERVER_ID, "credential_id": CREDENTIAL_ID}
    if job.code is None:
        inputs["timeout"] = "20"
    if load(job.recording).exchanges[0].path.endswith("/login-direct"):
        inputs |= PASSTHROUGH
    print(f"\n{_painted(f'=== {job.title} ===', BOLD)}")
    with tempfile.TemporaryDirectory() as folder, FakeApi([load(job.recording)]) as api:
        has_node = shutil.which("node") is not None
        runner = Runner(Path(folder), {**inputs, "api_url": api.url}, through_node=has_node)
        login = _cancel(runner, api) if job.is_canceled else runner.main()
        _show(f"Log of the login step{job.of_login}:", login)
        if job.code == 0:
            _say("Step outputs:")
            for output, value in login.outputs.items():
                print(f"  steps.login.outputs.{output:14} {value}")
        logout = runner.post()
        _show(f"Log of the post step{job.of_post}:", logout)
        _show_trail(api)
        if job.code is not None:
            api.verify()
    return logout.exit_code == 0 and job.code in {None, login.exit_code}


def _cancel(runner: Runner, api: FakeApi) -> StageResult:
    """Run main, and cancel it while it polls."""
    running = runner.begin("main")
    while running.is_running() and len(api.requests) < 2:
        time.sleep(0.02)
    running.signal(signal.SIGINT)
    return running.wait()


def _say(text: str) -> None:
    print(f"\n{_painted(text, BOLD)}")


def _show(about: str, result: StageResult) -> None:
    _say(about)
    for line in result.log.shown:
        print(f"  {_painted(line, _COLORS.get(line.split(' ')[0], ''))}")
    print(f"  (exit code {result.exit_code})")


def _show_trail(api: FakeApi) -> None:
    _say("Reoclo audit log:")
    for number, entry in enumerate(api.audit_trail, 1):
        print(f"{number}. {entry}")
    print(f"Requests to the API: {len(api.requests)}")


def _painted(text: str, color: str) -> str:
    """Color a text on a terminal unless NO_COLOR is set (see no-color.org)."""
    is_plain = not sys.stdout.isatty() or os.environ.get("NO_COLOR")
    return text if is_plain or not color else f"\x1b[{color}m{text}\x1b[0m"


if __name__ == "__main__":
    sys.exit(main())
