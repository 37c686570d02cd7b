"""The fake API, its recordings, and fixtures/FAKE-API.md, which explains how to use it."""

from __future__ import annotations

import http.client
import json
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import jsonschema
import pytest

from tests.fake_api import FakeApi, load, names
from tests.fake_api.recording import RECORDINGS
from tests.runner.checkout import ROOT

SCHEMA = json.loads((ROOT / "fixtures" / "schema.json").read_text("utf-8"))
PAGE = (ROOT / "fixtures" / "FAKE-API.md").read_text("utf-8")
KEY = "rca_Zm9vYmFy0123456789"
LOGIN = "/registry-auth/login"
CONTEXT = dict.fromkeys(("provider", "repository", "workflow", "trigger", "actor"), "x")
SERVER = {"server_id": "11111111-2222-4333-8444-555555555555", "run_context": CONTEXT}
BODY = {**SERVER, "credential_id": "66666666-7777-4888-9999-000000000000"}


def send(url: str, path: str, body: object = None, key: str = KEY) -> tuple[int, bytes]:
    """Send a request, and return status and body of the response."""
    with closing(http.client.HTTPConnection(url.removeprefix("http://"), timeout=9)) as connection:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        method, content = ("GET", None) if body is None else ("POST", json.dumps(body))
        connection.request(method, f"/api/automation/v1{path}", content, headers)
        response = connection.getresponse()
        return response.status, response.read()


@contextmanager
def run(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start a module, and kill it in the end."""
    command, pipe = [sys.executable, "-m", *arguments], subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("name", names())
def test_recording_is_valid(name: str) -> None:
    """It fits the schema, contains no key, and `origin` names every field unless it is captured."""
    text = (RECORDINGS / f"{name}.json").read_text("utf-8")
    data = json.loads(text)
    jsonschema.validate(data, SCHEMA, jsonschema.Draft202012Validator)
    assert not re.search(r"rca_|rk_|bearer|authorization", text, re.IGNORECASE)
    facts = data["origin"]["known"] + data["origin"]["invented"]
    named = {word for fact in facts for word in re.findall(r"\w+", fact["what"])}
    messages = [part for e in data["exchanges"] for part in (e["request"], *e["responses"])]
    bodies = json.dumps([message.get("body") for message in messages])
    fields = set(re.findall(r'"(\w+)":', bodies))
    assert fields <= named or data["origin"]["kind"] == "captured"


@pytest.mark.parametrize("change", [{"server_id": "x"}, {"extra": "x"}, {"run_context": {}}])
def test_unexpected_request_gets_418(change: dict[str, Any]) -> None:
    with FakeApi([load("ghcr")]) as api:
        assert send(api.url, LOGIN, {**BODY, **change})[0] == 418
        assert send(api.url, LOGIN, BODY, "not-a-key")[0] == 418
    with pytest.raises(AssertionError, match=r"unexpected: POST .*/login[^$]*missing: a login"):
        api.verify()


def test_page_describes_curl_and_the_server() -> None:
    start, curl, _ = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    with run(*shlex.split(start.splitlines()[2].replace("8080", "0"))[2:]) as server:
        assert server.stdout
        script = curl.replace("http://127.0.0.1:8080", server.stdout.readline().split()[-1])
        done = subprocess.run(["bash", "-euc", script], capture_output=True, check=True, text=True)
        server.send_signal(signal.SIGINT)
        output, _ = server.communicate(timeout=20)
    statuses = [json.loads(line)["status"] for line in done.stdout.splitlines()]
    assert statuses == ["running", "completed", "running"]
    assert "registry_logout  accepted" in output


def test_page_lists_options_and_scenarios() -> None:
    with run("tests.fake_api", "--help") as helped, run("tests.fake_api", "--list") as listed:
        told, titles = (process.communicate(timeout=20)[0] for process in (helped, listed))
    options = set(re.findall(r"^  (?:\S+, )?(--\w+)", told, re.MULTILINE))
    assert set(re.findall(r"^\| `(--\w+)`", PAGE, re.MULTILINE)) == options
    assert [line.split()[0] for line in titles.splitlines()] == names()
    table = "".join(re.findall(r"^\| (`[a-z][^|]*) \|", PAGE, re.MULTILINE))
    assert "`ghcr`" in table
    assert set(re.findall(r"`([\w-]+)`", table)) <= set(names())


def test_example_for_tests_runs() -> None:
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, text=True)
    assert done.stdout.startswith("http://127.0.0.1:")
    assert "AssertionError: missing: a login for ghcr" in done.stderr


def test_support_does_not_import_the_action() -> None:
    for file in [*ROOT.glob("tests/fake_api/*.py"), *ROOT.glob("tests/runner/*.py")]:
        assert not re.search(r"^(from|import) lib\b", file.read_text("utf-8"), re.MULTILINE)
