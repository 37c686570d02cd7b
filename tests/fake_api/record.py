"""Record a conversation of the action with a real Reoclo API, as a recording without secrets."""

from __future__ import annotations

import argparse
import json
import logging
import re
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path

from tests.fake_api import leaks, neutral
from tests.fake_api.recorder import Heard, Recorder
from tests.fake_api.recording import RECORDINGS

EPILOG = """
  python -m tests.fake_api.record --to my-login https://api.reoclo.com

Give the address that it prints to the action as api_url, with the real key and ids, and run one
login and its logout, for example with act. Then press Ctrl-C: the recording is written, with
keys, ids, hosts and names replaced, and the polls folded. What has anything in it that looks like
a secret is not written. Read it before you commit it all the same.
"""
_SECRETS = ("access_token", "password", "token")
_PRIVATE = ("server_id", "credential_id", "operation_id")


def main() -> int:
    """Run the command line.

    Returns:
        0 if a recording was written; 1 if there was nothing to write, or nothing that may be
        written; 2 if it cannot be begun.
    """
    options = _parser().parse_args()
    target: Path = options.folder / f"{options.to}.json"
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", options.to) or target.exists():
        return _complain(f"{target} is there already, or is no name such as slow-login.", 2)
    try:
        recorder = Recorder(options.api_url, port=options.port)
    except ValueError as error:
        return _complain(str(error), 2)
    _listen(recorder)
    return finish(recorder, target, options.title or f"A conversation: {options.to}")


def finish(recorder: Recorder, target: Path, title: str) -> int:
    """Write what a recorder heard, if it may be written.

    Args:
        recorder: It has stopped.
        target: The file to write.
        title: What happens in it.

    Returns:
        As `main`.
    """
    if recorder.failures or not recorder.heard:
        told = "\n".join(recorder.failures) or "Nothing was asked."
        return _complain(f"{told}\nNothing is written.", 1)
    date = datetime.now(timezone.utc).strftime("%Y-%m-%d")
    data = neutral.write(recorder.heard, title=title, date=date, api_host=recorder.host)
    found = leaks.find(data, _secrets(recorder.heard), _private(recorder))
    if found:
        told = "\n".join(f"  {line}" for line in found)
        return _complain(f"Nothing is written, since the recording would have in it:\n{told}", 1)
    target.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", "utf-8")
    print(f"Written: {target}. Read it before you commit it.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fake_api.record",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("api_url", help="the real API, with https")
    parser.add_argument("--to", required=True, metavar="NAME", help="what to call the recording")
    parser.add_argument("--title", default="", help="what happens in it, in a sentence")
    parser.add_argument("--folder", type=Path, default=RECORDINGS, help="where it goes")
    parser.add_argument("--port", type=int, default=0, help="port (default: any that is free)")
    return parser


def _listen(recorder: Recorder) -> None:
    """Listen until somebody ends it, and tell each request."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it would tell each request again
    stop = threading.Event()
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda *_: stop.set())
    with recorder:
        print(f"Give the action this api_url: {recorder.url}", flush=True)
        shown = 0
        while not stop.wait(0.2):
            for heard in recorder.heard[shown:]:
                print(f"{heard.method} {heard.path} -> {heard.status}", flush=True)
                shown += 1


def _secrets(heard: Sequence[Heard]) -> Iterator[str]:
    """Give what was sent as a secret."""
    yield from (one.key for one in heard)
    yield from _fields(heard, _SECRETS)


def _private(recorder: Recorder) -> Iterator[str]:
    """Give what tells whose it was."""
    yield recorder.host
    yield from _fields(recorder.heard, _PRIVATE)
    registries = _fields(recorder.heard, ("registry_url",))
    yield from (address for address in registries if not neutral.is_public(address))


def _fields(heard: Sequence[Heard], names: Sequence[str]) -> Iterator[str]:
    for one in heard:
        for told in (one.body, one.answer):
            if isinstance(told, dict):
                yield from (told[name] for name in names if isinstance(told.get(name), str))


def _complain(what: str, code: int) -> int:
    print(what, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
