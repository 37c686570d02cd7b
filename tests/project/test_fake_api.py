"""The fake API and its recordings: what the other tests rely on."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import jsonschema
import pytest

from tests.fake_api import FakeApi, load, names
from tests.fake_api.recording import RECORDINGS, parse
from tests.runner.checkout import ROOT

SCHEMA = json.loads((ROOT / "fixtures" / "schema.json").read_text("utf-8"))
BASE = "/api/automation/v1"
LOGIN = "/registry-auth/login"
CONTEXT = dict.fromkeys(("provider", "repository", "workflow", "trigger", "actor"), "x")
SERVER = {"server_id": "11111111-2222-4333-8444-555555555555", "run_context": CONTEXT}
BODY = {**SERVER, "credential_id": "66666666-7777-4888-9999-000000000000"}
LOGOUT = {**SERVER, "registry_url": "ghcr.io"}


def send(url: str, path: str, body: object = None, key: str = "rca_example") -> tuple[int, bytes]:
    """Send a request, and return status and body of the response."""
    with closing(http.client.HTTPConnection(url.removeprefix("http://"), timeout=1)) as connection:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        method, content = ("GET", None) if body is None else ("POST", json.dumps(body))
        connection.request(method, BASE + path, content, headers)
        response = connection.getresponse()
        return response.status, response.read()


def log_in_and_out(url: str, key: str = "rca_example") -> bytes:
    """Log in, poll, and log out; return the body of the last response."""
    status, content = send(url, LOGIN, BODY, key)
    while status == 429:
        status, content = send(url, LOGIN, BODY, key)
    operation = json.loads(content)["operation_id"]
    while b'"running"' in send(url, f"/operations/{operation}", key=key)[1]:
        pass
    return send(url, "/registry-auth/logout", LOGOUT, key)[1]


def fields(value: Any) -> Iterator[str]:
    """Yield the name of every field in a JSON value."""
    yield from value if isinstance(value, dict) else ()
    for entry in value.values() if isinstance(value, dict) else value:
        yield from fields(entry) if isinstance(entry, dict | list) else ()


@pytest.mark.parametrize("name", names())
def test_recording_is_valid(name: str) -> None:
    """It fits the schema, contains no key, and `origin` names every field."""
    text = (RECORDINGS / f"{name}.json").read_text("utf-8")
    data = json.loads(text)
    jsonschema.validate(data, SCHEMA, jsonschema.Draft202012Validator)
    assert not re.search(r"rca_|rk_|bearer|authorization", text, re.IGNORECASE)
    facts = data["origin"]["known"] + data["origin"]["invented"]
    named = {word for fact in facts for word in re.findall(r"\w+", fact["what"])}
    messages = [part for e in data["exchanges"] for part in (e["request"], *e["responses"])]
    assert set(fields([message.get("body") for message in messages])) <= named


@pytest.mark.parametrize("change", [{"server_id": "x"}, {"extra": "x"}, {"run_context": {}}])
def test_unexpected_request_gets_418(change: dict[str, Any]) -> None:
    with FakeApi([load("ghcr")]) as api:
        assert send(api.url, LOGIN, {**BODY, **change})[0] == 418
        assert send(api.url, LOGIN, BODY, "not-a-key")[0] == 418
        with pytest.raises(AssertionError, match=r"unexpected: POST .*/login[^$]*missing: a login"):
            api.verify()
        send(api.url, LOGIN, BODY)
        assert send(api.url, "/registry-auth/logout", LOGOUT)[0] == 418  # before the poll
        with pytest.raises(AssertionError, match=r"missing: GET .*\nmissing: POST .*/logout"):
            api.verify()


def test_each_login_is_a_session_in_the_audit_trail() -> None:
    with FakeApi([load("logout-null"), load("logout-no-body")]) as api:
        assert log_in_and_out(api.url, "rca_longer1234") == b"null"
        assert log_in_and_out(api.url, "rca_longer1234") == b""
    api.verify()
    assert api.calls() == ["login", "poll", "logout"] * 2
    assert api.requests[1].path != api.requests[4].path
    found = [(e.operation, e.outcome, e.key, e.context["actor"]) for e in api.audit_trail[1::2]]
    assert found == [("registry_logout", "accepted", "rca_…1234", "x")] * 2


def serve(*responses: dict[str, Any], **more: Any) -> FakeApi:
    """Return an API with these responses to logins."""
    exchange = {"request": {"method": "POST", "path": BASE + LOGIN}, "times": {"least": 1}}
    exchanges = [{**exchange, "responses": responses}]
    return FakeApi([parse("made", {"title": "made", "exchanges": exchanges, **more})])


def test_rate_limit_applies_to_each_key() -> None:
    with serve({"status": 202}, rate_limit={"requests": 1, "seconds": 60}) as api:
        keys = ["rca_one", "rca_one", "rca_two"]
        assert [send(api.url, LOGIN, {}, key)[0] for key in keys] == [202, 429, 202]


@contextmanager
def run(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start a module, and kill it in the end."""
    command, pipe = [sys.executable, "-m", *arguments], subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_support_does_not_import_the_action() -> None:
    for file in [*ROOT.glob("tests/fake_api/*.py"), *ROOT.glob("tests/runner/*.py")]:
        assert not re.search(r"^(from|import) lib\b", file.read_text("utf-8"), re.MULTILINE)
