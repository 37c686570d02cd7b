"""The fake API for tools/bench.py, in a process of its own.

    python -m tools.bench_api SECONDS

Prints its address. Each line that it reads it answers with the requests since the last, as JSON.
"""

from __future__ import annotations

import json
import logging
import sys

from tests.fake_api import FakeApi, recording


def main() -> int:
    """Serve logins that take so many seconds, until standard input ends.

    Returns:
        0.
    """
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with FakeApi([_login(float(sys.argv[1]))], endless=True) as api:
        print(api.url, flush=True)
        told = 0
        for _ in sys.stdin:
            seen = api.requests[told:]
            told += len(seen)
            found = [{"at": request.at, "call": request.method} for request in seen]
            print(json.dumps(found), flush=True)
    return 0


def _login(seconds: float) -> recording.Recording:
    path = recording.RECORDINGS / "slow-login.json"
    data = json.loads(path.read_text("utf-8"))
    data["exchanges"][1]["responses"][0]["lasts"] = {"seconds": seconds}
    return recording.parse(path.stem, data)


if __name__ == "__main__":
    sys.exit(main())
