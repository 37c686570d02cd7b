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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

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

BOLD, RED, YELLOW, CYAN = "1", "31", "33", "36"
_COLORS = {"Error:": RED, "Warning:": YELLOW}


def main() -> int:
    """Run the command line.

    Returns:
        0 if every job ended as expected.
    """
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    parser = _parser()
    jobs = parser.parse_args().jobs or list(JOBS)
    unknown = set(jobs) - JOBS.keys() - set(_recordings())
    if unknown:
        parser.error(f"unknown job {unknown.pop()!r}; choose {', '.join(JOBS)}, or a recording")
    print("Jobs with this step run against a fake Reoclo API on your machine:\n")
    print(_painted(WORKFLOW, CYAN))
    succeeded = [JOBS[name]() if name in JOBS else show_recording(name) for name in jobs]
    return 0 if all(succeeded) else 1


def _parser() -> argparse.ArgumentParser:
    titles = "\n".join(f"  {name:28} {title}" for name, title in _recordings().items())
    parser = argparse.ArgumentParser(
        prog="python -m tests.demo",
        description=__doc__,
        epilog=f"recordings:\n{titles}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    known = ", ".join(JOBS)
    parser.add_argument(
        "jobs", nargs="*", metavar="JOB", help=f"{known} (default: all three), or a recording"
    )
    return parser


def _recordings() -> dict[str, str]:
    """Return the title of each recording that begins with a login, by name."""
    loaded = map(load, names())
    return {entry.name: entry.title for entry in loaded if "/login" in entry.exchanges[0].path}


def show_good() -> bool:
    """Show a login that succeeds, and its logout."""
    _title("The login succeeds")
    with _job("ghcr") as (api, runner):
        login = runner.main()
        _show("Log of the login step:", login)
        _say("Step outputs:")
        for name, value in login.outputs.items():
            print(f"  steps.login.outputs.{name:14} {value}")
        logout = runner.post()
        _show("Log of the post step:", logout)
        _show_trail(api)
    return (login.exit_code, logout.exit_code) == (0, 0)


def show_refused() -> bool:
    """Show a login that the registry rejects."""
    _title("The registry rejects the login")
    with _job("refused-by-registry") as (api, runner):
        login = runner.main()
        _show("Log of the login step; GitHub also shows the error as an annotation:", login)
        logout = runner.post()
        _show("Log of the post step:", logout)
        _show_trail(api)
    return (login.exit_code, logout.exit_code) == (1, 0)


def show_cancelled() -> bool:
    """Show a job that is canceled while the server logs in, and its cleanup."""
    _title("The job is canceled during a login that takes two seconds")
    with _job("slow-login") as (api, runner):
        running = runner.begin("main")
        while running.is_running() and len(api.requests) < 2:
            time.sleep(0.02)
        running.signal(signal.SIGINT)
        login = running.wait()
        _show("Log of the login step:", login)
        logout = runner.post()
        _show("Log of the post step, which waits for the login and logs out:", logout)
        _show_trail(api)
    return (login.exit_code, logout.exit_code) == (130, 0)


def show_recording(name: str) -> bool:
    """Show main and post against a recording, whether they succeed or not."""
    _title(f"{_recordings()[name]} ({name})")
    inputs = {"timeout": "20"}
    if load(name).exchanges[0].path.endswith("/login-direct"):
        inputs |= PASSTHROUGH
    with _job(name, inputs, verify=False) as (api, runner):
        _show("Log of the login step:", runner.main())
        logout = runner.post()
        _show("Log of the post step:", logout)
        _show_trail(api)
    return logout.exit_code == 0


JOBS = {"good": show_good, "refused": show_refused, "cancelled": show_cancelled}


@contextmanager
def _job(
    name: str, changes: Mapping[str, str] | None = None, *, verify: bool = True
) -> Iterator[tuple[FakeApi, Runner]]:
    """Start an API that plays a recording, and a job that uses it.

    Args:
        name: The recording.
        changes: Inputs that differ from those of a login with a registry credential.
        verify: Whether to check at the end that every expected request was sent.
    """
    with tempfile.TemporaryDirectory() as folder, FakeApi([load(name)]) as api:
        inputs = {
            "api_key": API_KEY,
            "server_id": SERVER_ID,
            "credential_id": CREDENTIAL_ID,
            "api_url": api.url,
            **(changes or {}),
        }
        has_node = shutil.which("node") is not None
        yield api, Runner(Path(folder), inputs, through_node=has_node)
        if verify:
            api.verify()


def _title(text: str) -> None:
    print(f"\n{_painted(f'=== {text} ===', BOLD)}")


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
