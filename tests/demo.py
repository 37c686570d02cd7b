"""The demo: jobs with the action and the fake Reoclo API, as users and auditors see them."""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fake_api import FakeApi, audit, recording
from tests.runner import Runner, StageResult

API_KEY = "rca_ZGVtby1rZXktbm90LWEtc2VjcmV0"
SERVER_ID = "5f0c8a1e-3d52-4b7e-9c1a-2e6f7d8b9a10"
CREDENTIAL_ID = "c2a4e6f8-1b3d-4f5a-8c7e-9d0b1a2c3e4f"

WORKFLOW = """\
    - uses: reoclo/docker-auth@v1
      id: login
      with:
        api_key: ${{ secrets.REOCLO_API_KEY }}
        server_id: ${{ vars.REOCLO_SERVER_ID }}
        credential_id: ${{ vars.REOCLO_GHCR_CREDENTIAL_ID }}"""

BOLD, RED, YELLOW, CYAN = "1", "31", "33", "36"
_COLOURS = {"Error:": RED, "Warning:": YELLOW}


def main() -> int:
    """Show it.

    Returns:
        0 if each job went as it should.
    """
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    parser = _parser()
    names = parser.parse_args().jobs or list(JOBS)
    if not set(names) <= JOBS.keys():
        parser.error(f"there are the jobs {', '.join(JOBS)}")
    print("A workflow has this step, and runs against a fake Reoclo API on this machine:\n")
    print(_painted(WORKFLOW, CYAN))
    went_well = [JOBS[name]() for name in names]
    return 0 if all(went_well) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.demo", description=__doc__)
    parser.add_argument("jobs", nargs="*", metavar="JOB", help=f"which of {', '.join(JOBS)}")
    return parser


def show_good() -> bool:
    """Show a login that works, and its logout."""
    _title("A login that works")
    with _job("ghcr") as (api, runner):
        login = runner.main()
        _show("The user sees, in the step's log:", login)
        _say("Later steps can use:")
        for name, value in login.outputs.items():
            print(f"  steps.login.outputs.{name:14} {value}")
        logout = runner.post()
        _show("The user sees, at the end of the job:", logout)
        _show_trail(api)
    return (login.exit_code, logout.exit_code) == (0, 0)


def show_refused() -> bool:
    """Show a login that the registry refuses."""
    _title("A login that the registry refuses")
    with _job("refused-by-registry") as (api, runner):
        login = runner.main()
        _show("The user sees, in the step's log and among the job's annotations:", login)
        logout = runner.post()
        _show("The user sees, at the end of the job:", logout)
        _show_trail(api)
    return (login.exit_code, logout.exit_code) == (1, 0)


def show_cancelled() -> bool:
    """Show a job that is cancelled while the server logs in, and its cleanup."""
    _title("A job that is cancelled while its login, which takes two seconds, is under way")
    with _job("slow-login") as (api, runner):
        running = runner.begin("main")
        while running.is_running() and len(api.requests) < 2:
            time.sleep(0.02)
        running.signal(signal.SIGINT)
        login = running.wait()
        _show("The user sees, in the step's log:", login)
        logout = runner.post()
        _show("At the end of the job the login is waited for, then undone:", logout)
        _show_trail(api)
    return (login.exit_code, logout.exit_code) == (130, 0)


JOBS = {"good": show_good, "refused": show_refused, "cancelled": show_cancelled}


@contextmanager
def _job(name: str) -> Iterator[tuple[FakeApi, Runner]]:
    """Make a job whose API plays a recording; in the end it must have been played to its end."""
    with tempfile.TemporaryDirectory() as folder, FakeApi([recording.load(name)]) as api:
        inputs = {
            "api_key": API_KEY,
            "server_id": SERVER_ID,
            "credential_id": CREDENTIAL_ID,
            "api_url": api.url,
        }
        has_node = shutil.which("node") is not None
        yield api, Runner(Path(folder), inputs, through_node=has_node)
        api.verify()


def _title(text: str) -> None:
    print(f"\n{_painted(f'=== {text} ===', BOLD)}")


def _say(text: str) -> None:
    print(f"\n{_painted(text, BOLD)}")


def _show(about: str, result: StageResult) -> None:
    _say(about)
    for line in result.log.shown:
        print(f"  {_painted(line, _COLOURS.get(line.split(' ')[0], ''))}")
    print(f"  (exit code {result.exit_code})")


def _show_trail(api: FakeApi) -> None:
    _say("The auditor sees, in the trail that the API kept:")
    for number, entry in enumerate(api.audit_trail, 1):
        print(audit.tell(number, entry))
    print(f"The API was asked {len(api.requests)} times.")


def _painted(text: str, colour: str) -> str:
    """Colour a text, where that is for eyes that want it (see no-color.org)."""
    is_plain = not sys.stdout.isatty() or os.environ.get("NO_COLOR")
    return text if is_plain or not colour else f"\x1b[{colour}m{text}\x1b[0m"


if __name__ == "__main__":
    sys.exit(main())
