"""Record a conversation with a real Reoclo API, without anything private.

Ids become placeholders, and of texts only the words that an existing recording contains are kept.
So no secret has to be recognized as one.
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from werkzeug import Request, Response

from tests.fake_api.recording import RECORDINGS
from tests.fake_api.server import LocalServer

EPILOG = """Set the action's api_url to the printed address, use a real API key and real IDs, and
run one login and its logout. Press Ctrl-C to write the recording: equal requests are merged, IDs
are replaced, and unknown words are omitted. Read the recording before you commit it."""

_FORWARDED = ("Authorization", "Content-Type", "Accept", "User-Agent")
_PUBLIC_REGISTRIES = {"docker.io", "index.docker.io", "ghcr.io", "quay.io"}
_FIXED = {"server_id": "<server_id>", "server_name": "build-1"}
_FIXED |= {"started_at": "<now>", "completed_at": "<now>"}
_WORD = re.compile(r"[\w.+/=@:-]*\w")
_IDENTIFIER = re.compile(r"[A-Za-z]+([_-][A-Za-z]+){0,3}")
# Method, path, and response as in a recording, before it is sanitized.
Call = tuple[str, str, dict[str, Any]]


class Recorder(LocalServer):
    """Proxy that forwards requests to a real API and keeps them with their responses.

    Raises:
        ValueError: The API's address is neither https nor on loopback.
    """

    def __init__(self, api_url: str) -> None:
        super().__init__(self._forward)
        self._url = urlsplit(api_url)
        is_local = self._url.scheme == "http" and self._url.hostname in {"localhost", "127.0.0.1"}
        if not self._url.hostname or not (is_local or self._url.scheme == "https"):
            raise ValueError("the API's address must begin with https:// and have a host")
        self.calls: list[Call] = []
        self.failures: list[str] = []

    def _forward(self, request: Request) -> Response:
        try:
            response, content = self._send(request)
        except (OSError, http.client.HTTPException) as error:
            self.failures.append(f"{request.method} {request.path}: {error}")
            return Response(status=502)
        retry_after = response.headers["Retry-After"]
        headers = {"Retry-After": retry_after} if retry_after else {}
        recorded = {"status": response.status, **({"headers": headers} if headers else {})}
        self.calls.append((request.method, request.path, recorded | _body(content)))
        print(f"{request.method} {request.path} -> {response.status}", flush=True)
        kind = response.headers["Content-Type"]
        return Response(content, response.status, headers, content_type=kind)

    def _send(self, request: Request) -> tuple[http.client.HTTPResponse, bytes]:
        is_plain = self._url.scheme == "http"
        kind = http.client.HTTPConnection if is_plain else http.client.HTTPSConnection
        path = self._url.path.rstrip("/") + request.path
        headers = {name: request.headers[name] for name in _FORWARDED if name in request.headers}
        with closing(kind(self._url.netloc, timeout=60)) as connection:
            connection.request(request.method, path, request.data or None, headers)
            response = connection.getresponse()
            return response, response.read()


def _body(content: bytes) -> dict[str, Any]:
    try:
        return {"body": json.loads(content)} if content else {}
    except ValueError:
        return {"body": "<html>…</html>"}


class Sanitizer:
    """Converts the calls of one conversation to a recording."""

    def __init__(self, calls: Sequence[Call]) -> None:
        self._calls = calls
        texts = (path.read_text("utf-8") for path in RECORDINGS.glob("*.json"))
        self._words = {word for text in texts for word in _WORD.findall(text.replace("\\n", " "))}
        self._operations = {}
        for _, path, response in reversed(calls):
            if "/registry-auth/" in path and isinstance(response.get("body"), dict):
                kind = "logout" if path.endswith("/logout") else "login"
                self._operations[response["body"].get("operation_id")] = f"<{kind}_operation>"

    def recording(self, title: str) -> dict[str, Any]:
        """Return the JSON of the recording."""
        source = f"a Reoclo API, with python -m tests.fake_api.record on {date.today()}"  # noqa: DTZ011
        known = {"what": "all fields; ids, names and unknown words are replaced", "where": source}
        groups = groupby(self._calls, key=lambda call: (call[0], call[1]))
        return {
            "$schema": "../schema.json",
            "title": title,
            "origin": {"kind": "captured", "known": [known], "invented": []},
            "exchanges": [self._exchange(*key, list(calls)) for key, calls in groups],
        }

    def _exchange(self, method: str, path: str, calls: Sequence[Call]) -> dict[str, Any]:
        folder, _, name = path.rpartition("/")
        if folder.endswith("/operations"):
            path = f"{folder}/{self._text(name, 'operation_id')}"
        kept = groupby(self._kept(response) for *_, response in calls)
        runs = [(len(list(run)), response) for response, run in kept]
        responses = [{"lasts": {"requests": count}, **response} for count, response in runs]
        del responses[-1]["lasts"]
        times = {"least": len(calls)} | ({} if method == "GET" else {"most": len(calls)})
        return {"request": {"method": method, "path": path}, "times": times, "responses": responses}

    def _kept(self, value: Any, field: str = "") -> Any:
        if isinstance(value, dict):
            names = {name: name if _IDENTIFIER.fullmatch(name) else "other" for name in value}
            return {names[name]: self._kept(entry, name) for name, entry in value.items()}
        if isinstance(value, list):
            return [self._kept(entry, field) for entry in value]
        return self._text(value, field) if isinstance(value, str) else value

    def _text(self, text: str, field: str) -> str:
        if field == "operation_id":
            return self._operations.get(text, "00000000-0000-4000-8000-000000000000")
        if field == "registry_url":
            return text if text in _PUBLIC_REGISTRIES else "registry.example.com"
        if field in {"status", "operation_type", "registry_type"} and _IDENTIFIER.fullmatch(text):
            return text
        return _FIXED.get(field) or _WORD.sub(self._known, text)

    def _known(self, word: re.Match[str]) -> str:
        return word[0] if word[0] in self._words or re.fullmatch(r"\d{1,4}", word[0]) else "…"


def main() -> int:
    """Run the command line, and return 0 if a recording was written."""
    parser = argparse.ArgumentParser(prog="python -m tests.fake_api.record", epilog=EPILOG)
    parser.add_argument("api_url", help="the real API, with https")
    parser.add_argument("--to", required=True, metavar="NAME", help="name of the recording")
    parser.add_argument("--folder", type=Path, default=RECORDINGS, help="folder to write to")
    options = parser.parse_args()
    target: Path = options.folder / f"{options.to}.json"
    if not re.fullmatch(r"[a-z0-9-]+", options.to) or target.exists():
        parser.error(f"{target} exists, or is not a name such as slow-login")
    try:
        recorder = Recorder(options.api_url)
    except ValueError as error:
        parser.error(str(error))
    with recorder:
        recorder.wait_until_stopped(f"Use this api_url: {recorder.url}")
    if recorder.failures or not recorder.calls:
        reasons = recorder.failures or ["No requests arrived."]
        print("No recording was written.", *reasons, sep="\n")
        return 1
    recording = Sanitizer(recorder.calls).recording(f"A conversation: {options.to}")
    target.write_text(json.dumps(recording, indent=2, ensure_ascii=False) + "\n", "utf-8")
    print(f"Wrote {target}. Read it before you commit it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
