"""The recorder: its recordings play back, and contain nothing private."""

from __future__ import annotations

import base64
import json
import signal
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.fake_api import FakeApi, load
from tests.fake_api.record import Recorder, Sanitizer
from tests.fake_api.recording import parse
from tests.project.test_fake_api import BODY, KEY, LOGIN, SCHEMA, SERVER, run, send

OPERATION = "9b85d092-baf5-5c11-a70f-61ab02d8587d"


def log_in_and_out(url: str) -> None:
    """Log in, poll, and log out."""
    status, content = 429, b""
    while status == 429:
        status, content = send(url, LOGIN, BODY)
    operation = json.loads(content)["operation_id"]
    while b'"running"' in send(url, f"/operations/{operation}")[1]:
        time.sleep(0.1)
    send(url, "/registry-auth/logout", {**SERVER, "registry_url": "ghcr.io"})


@pytest.mark.parametrize("name", ["slow-login", "rate-limited", "logout-null", "logout-html"])
def test_recording_plays_back(tmp_path: Path, name: str) -> None:
    options = ("tests.fake_api.record", f"--folder={tmp_path}", "--to=mine")
    with FakeApi([load(name)]) as api, run(*options, api.url) as recorder:
        assert recorder.stdout
        log_in_and_out(recorder.stdout.readline().split()[-1])
        recorder.send_signal(signal.SIGINT)
        assert recorder.wait(20) == 0
    data = json.loads((tmp_path / "mine.json").read_text("utf-8"))
    jsonschema.validate(data, SCHEMA, jsonschema.Draft202012Validator)
    with FakeApi([parse("recorded", data)]) as copy:
        log_in_and_out(copy.url)
    copy.verify()
    assert [seen.status for seen in copy.requests] == [seen.status for seen in api.requests]


def test_recording_contains_nothing_private() -> None:
    """Unknown words are left out, wherever they are and in whatever form."""
    encoded = base64.b64encode(KEY.encode()).decode()
    fields = ("registry_url", "server_name", "by", "type", "operation_id")
    words = ["registry.acme.internal:5000", "prod-7", "alice@acme.example", "hunter2", OPERATION]
    body: dict[str, Any] = {
        **dict(zip(fields, words, strict=True)),
        "status": KEY,
        "result": {"exit_code": 1, "stderr": f"Login Succeeded: {KEY} {encoded} {KEY[::-1]}"},
        "detail": [{"msg": f"denied: {words[3]} at https://me:{words[3]}@prod-7/?key={KEY}"}],
        KEY: True,
    }
    response = {"status": 200, "body": body}
    calls = [("POST", LOGIN, response), ("GET", f"/operations/{OPERATION}", response)]
    text = json.dumps(Sanitizer(calls).recording("a recorded conversation"))
    private = [*words, KEY, encoded, KEY[::-1], KEY.lower()]
    assert [word for word in private if word in text] == []
    assert "Login Succeeded" in text


def test_recorder_needs_https_and_an_api() -> None:
    for url in ("http://api.example.com", "api.example.com", "ftp://localhost"):
        with pytest.raises(ValueError, match="https"):
            Recorder(url)
    with Recorder("http://127.0.0.1:1") as recorder:
        assert send(recorder.url, LOGIN, BODY)[0] == 502
    assert (len(recorder.failures), recorder.calls) == (1, [])
