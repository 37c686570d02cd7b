"""Demo: jobs that use the action, against the fake Reoclo API, as users and auditors see them."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tests.fake_api import FakeApi, load
from tests.runner import Runner, StageResult

INPUTS = {
    "api_key": "rca_ZGVtby1rZXktbm90LWEtc2VjcmV0",
    "server_id": "5f0c8a1e-3d52-4b7e-9c1a-2e6f7d8b9a10",
    "credential_id": "c2a4e6f8-1b3d-4f5a-8c7e-9d0b1a2c3e4f",
}
WORKFLOW = """\
    - uses: reoclo/docker-auth@v1
      id: login
      with:
        api_key: ${{ secrets.REOCLO_API_KEY }}
        server_id: ${{ vars.REOCLO_SERVER_ID }}
        credential_id: ${{ vars.REOCLO_GHCR_CREDENTIAL_ID }}"""
SUCCEEDED, FAILED, CANCELED = 0, 1, 130


class Job(NamedTuple):
    """A job and the expected exit code of its login."""

    title: str
    recording: str
    code: int


JOBS = {
    "good": Job("The login succeeds", "ghcr", SUCCEEDED),
    "refused": Job("The registry rejects the login", "refused-by-registry", FAILED),
    "cancelled": Job("The job is canceled while the login runs", "slow-login", CANCELED),
}
BOLD, RED, YELLOW, CYAN = "1", "31", "33", "36"
_COLORS = {"Error:": RED, "Warning:": YELLOW}


def main() -> int:
    """Run the command line, and return 0 if every job ended as expected."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    parser = argparse.ArgumentParser(prog="python -m tests.demo", description=__doc__)
    parser.add_argument("jobs", nargs="*", metavar="JOB", help=f"{', '.join(JOBS)} (default: all)")
    names = parser.parse_args().jobs or list(JOBS)
    if unknown := set(names) - JOBS.keys():
        parser.error(f"unknown job {unknown.pop()!r}; choose from {', '.join(JOBS)}")
    print("Jobs with this step run against a fake Reoclo API on your machine:\n")
    print(_painted(WORKFLOW, CYAN))
    failed = [name for name in names if not _show_job(JOBS[name])]
    return 1 if failed else 0


def _show_job(job: Job) -> bool:
    """Show main and post of a job, and return whether they ended as expected."""
    print(f"\n{_painted(f'=== {job.title} ===', BOLD)}")
    with tempfile.TemporaryDirectory() as folder, FakeApi([load(job.recording)]) as api:
        runner = Runner(Path(folder), {**INPUTS, "api_url": api.url})
        login = _cancel(runner, api) if job.code == CANCELED else runner.main()
        _show_log("login", login)
        _show_title("Step outputs:")
        for output, value in login.outputs.items():
            print(f"  steps.login.outputs.{output:14} {value}")
        logout = runner.post()
        _show_log("post", logout)
    _show_title("Reoclo audit log:")
    for number, entry in enumerate(api.audit_trail, 1):
        print(f"{number}. {entry}")
    print(f"Requests to the API: {len(api.requests)}")
    api.verify()
    return (login.exit_code, logout.exit_code) == (job.code, SUCCEEDED)


def _cancel(runner: Runner, api: FakeApi) -> StageResult:
    """Run main, and cancel it while it polls."""
    running = runner.begin("main")
    while running.is_running() and len(api.requests) < 2:
        time.sleep(0.02)
    running.signal(signal.SIGINT)
    return running.wait()


def _show_title(text: str) -> None:
    print(f"\n{_painted(text, BOLD)}")


def _show_log(step: str, result: StageResult) -> None:
    _show_title(f"Log of the {step} step:")
    for line in result.log.shown:
        print(f"  {_painted(line, _COLORS.get(line.split(' ')[0], ''))}")
    print(f"  (exit code {result.exit_code})")


def _painted(text: str, color: str) -> str:
    """Color a text on a terminal unless NO_COLOR is set (see no-color.org)."""
    is_plain = not sys.stdout.isatty() or os.environ.get("NO_COLOR")
    return text if is_plain or not color else f"\x1b[{color}m{text}\x1b[0m"


if __name__ == "__main__":
    sys.exit(main())
