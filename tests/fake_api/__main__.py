"""Serve the fake Reoclo API for a workflow, act, or curl."""

from __future__ import annotations

import argparse
import sys
from functools import partial

from tests.fake_api import FakeApi, load, names

EPILOG = """Any key that starts with rca_ is accepted, and any UUID as server_id and credential_id.
The server prints each request and each audit log entry. Press Ctrl-C to stop it. A request that no
recording expects gets 418. Examples with the action, act, and curl: fixtures/FAKE-API.md."""


def main() -> int:
    """Run the command line and return 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.fake_api", epilog=EPILOG)
    about = "one per login; the last one is used for all further logins (default: ghcr)"
    parser.add_argument("recording", nargs="*", default=["ghcr"], metavar="RECORDING", help=about)
    parser.add_argument("--list", action="store_true", help="list the recordings and exit")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port (default: any free port)")
    given = parser.parse_args()
    if given.list:
        print("\n".join(f"{name:28} {load(name).title}" for name in names()))
        return 0
    unknown = set(given.recording) - set(names())
    if unknown:
        parser.error(f"unknown recording {unknown.pop()}; --list prints all")
    show = partial(print, flush=True)
    recordings = map(load, given.recording)
    with FakeApi(recordings, endless=True, log=show, host=given.host, port=given.port) as api:
        api.wait_until_stopped(f"The fake Reoclo API listens on {api.url}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
