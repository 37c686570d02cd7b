"""The demo: a login and a logout against the fake Reoclo API, as a user and an auditor see them."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import tempfile
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


def main() -> int:
    """Show it.

    Returns:
        0 if the login and the logout worked.
    """
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    print("A workflow has this step, and runs against a fake Reoclo API on this machine:\n")
    print(WORKFLOW)
    with (
        tempfile.TemporaryDirectory() as folder,
        FakeApi([recording.load("slow-login")]) as api,
    ):
        runner = Runner(Path(folder), _inputs(api), through_node=shutil.which("node") is not None)
        _title("What the user sees: the step (the login takes two seconds on the server)")
        login = runner.main()
        _show(login)
        _title("What later steps can use: the outputs")
        for name, value in login.outputs.items():
            print(f"  steps.login.outputs.{name:14} {value}")
        _title("What the user sees: the end of the job")
        logout = runner.post()
        _show(logout)
        _title("What the auditor sees: the trail that the API kept")
        for number, entry in enumerate(api.audit_trail, 1):
            print(audit.tell(number, entry))
        api.verify()
    print(f"\nThe API was asked {len(api.requests)} times.")
    return login.exit_code or logout.exit_code


def _inputs(api: FakeApi) -> dict[str, str]:
    return {
        "api_key": API_KEY,
        "server_id": SERVER_ID,
        "credential_id": CREDENTIAL_ID,
        "api_url": api.url,
    }


def _title(text: str) -> None:
    is_plain = not sys.stdout.isatty() or "NO_COLOR" in os.environ
    print(f"\n{text}" if is_plain else f"\n\x1b[1m{text}\x1b[0m")


def _show(result: StageResult) -> None:
    for line in result.log.shown:
        print(f"  {line}")
    print(f"  (exit code {result.exit_code})")


if __name__ == "__main__":
    sys.exit(main())
