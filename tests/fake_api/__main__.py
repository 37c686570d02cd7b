"""Serve the fake Reoclo API on its own, for a workflow, for act or for curl."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading

from tests.fake_api import audit, recording
from tests.fake_api.api import FakeApi

EPILOG = """
It takes any key that begins with rca_, and any UUIDs as server_id and credential_id. It tells each
request as it comes, and what goes into the audit trail; Ctrl-C stops it and prints the trail.

the action: give it the address as api_url; plain http works for this machine only

curl:
  python -m tests.fake_api refused-by-registry --port 8080

  curl http://127.0.0.1:8080/api/automation/v1/registry-auth/login \\
    -H 'Authorization: Bearer rca_example' -H 'Content-Type: application/json' -d '{
    "server_id": "11111111-2222-4333-8444-555555555555",
    "credential_id": "66666666-7777-4888-9999-000000000000",
    "run_context": {"provider": "curl", "repository": "me/mine", "workflow": "by hand",
                    "trigger": "manual", "actor": "me"}}'

  curl http://127.0.0.1:8080/api/automation/v1/operations/<operation_id of the answer> \\
    -H 'Authorization: Bearer rca_example'

answers:
  418  no recording expects this request now: another body, another order, no key
  429  the recording has a rate limit, and it is reached
  else what the recording has

All of it, with act and with workflows: fixtures/FAKE-API.md. What a recording may have in it:
fixtures/README.md. A recording of a real API: python -m tests.fake_api.record --help.
"""


def main() -> int:
    """Run the command line.

    Returns:
        0, or 2 where there is no such recording.
    """
    options = _parser().parse_args()
    if options.list:
        for name in recording.names():
            print(f"{name:28} {recording.load(name).title}")
        return 0
    unknown = [name for name in options.recordings if name not in recording.names()]
    if unknown:
        print(f"No recording is called {unknown[0]}; --list shows all.", file=sys.stderr)
        return 2
    return _serve([recording.load(name) for name in options.recordings], options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fake_api",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "recordings",
        nargs="*",
        default=["ghcr"],
        metavar="RECORDING",
        help="what to play: the first to the first login, and so on, the last to all further "
        "ones (default: ghcr)",
    )
    parser.add_argument("--list", action="store_true", help="list the recordings and end")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port (default: any that is free)")
    return parser


def _serve(recordings: list[recording.Recording], options: argparse.Namespace) -> int:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it would tell each request again
    stop = threading.Event()
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda *_: stop.set())
    with FakeApi(recordings, endless=True, host=options.host, port=options.port) as api:
        print(f"The fake Reoclo API listens on {api.url}", flush=True)
        requests = entries = 0
        while not stop.wait(0.2):
            for seen in api.requests[requests:]:
                print(f"{seen.method} {seen.path} -> {seen.outcome}", flush=True)
                requests += 1
            for found in api.audit_trail[entries:]:
                print(f"  audit: {audit.tell_briefly(found)}", flush=True)
                entries += 1
    print("\nAudit trail:")
    for number, found in enumerate(api.audit_trail, 1):
        print(audit.tell(number, found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
