"""The recorder: what it writes plays back, and has nothing of its origin in it."""

from __future__ import annotations

import base64
import json
import re
import signal
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import trustme

from tests.fake_api import FakeApi, leaks, recording
from tests.fake_api.record import finish
from tests.fake_api.recorder import Recorder
from tests.fake_api.recording import Recording
from tests.integration.conversation import accepted, login, play, polls
from tests.runner import Runner
from tests.runner.checkout import ROOT

KEY = "rca_Zm9vYmFy0123456789"
IDS = {
    "server_id": "11111111-2222-4333-8444-555555555555",
    "credential_id": "66666666-7777-4888-9999-000000000000",
}
TOKEN = "hunter2-hunter2"
PASSTHROUGH = {
    "server_id": IDS["server_id"],
    "registry_url": "registry.acme.internal:5000",
    "username": "shop-robot",
    "access_token": TOKEN,
}
SCHEMA = json.loads((recording.FIXTURES / "schema.json").read_text("utf-8"))
# What a tenant of somebody has in the place of the neutral names of our recordings.
PRIVATE = {"ghcr.io": "registry.acme.internal:5000", "build-1": "prod-7"}
ALICE = "Alice of Acme"


def tenant(name: str) -> Recording:
    """Load a recording as somebody's tenant would have it, with names and a field of its own."""
    text = (recording.RECORDINGS / f"{name}.json").read_text("utf-8")
    for neutral, private in PRIVATE.items():
        text = text.replace(neutral, private)
    data = json.loads(text.replace('"status": "running"', f'"status": "running", "by": "{ALICE}"'))
    return recording.parse(name, data)


def run_job(folder: Path, url: str, inputs: dict[str, str]) -> list[str]:
    """Run the action, main and post, and give its log without what differs each time."""
    runner = Runner(folder, {"api_key": KEY, "api_url": url, **inputs})
    shown = [*runner.main().log.shown, *runner.post().log.shown]
    return [re.sub(r"\d+\.\d s\b", "… s", line) for line in shown]


def neutral(log: list[str]) -> list[str]:
    """Take ids and names out of a log, as the recorder does."""
    text = "\n".join(log)
    for name in ("registry.acme.internal:5000", "ghcr.io"):
        text = text.replace(name, "registry.example.com")
    return re.sub(r"[0-9a-f-]{36}", "…", text.replace("prod-7", "build-1")).splitlines()


Record = Callable[..., tuple[int, Path, list[str]]]


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """Give a function that runs a job through a recorder to an API, and has it written."""

    def run(api: FakeApi, inputs: dict[str, str] = IDS) -> tuple[int, Path, list[str]]:
        target = tmp_path / "written.json"
        with api, Recorder(api.url) as recorder:
            log = run_job(tmp_path / "job", recorder.url, inputs)
        return finish(recorder, target, "Made by a test"), target, log

    return run


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("ghcr", IDS),
        ("slow-login", IDS),
        ("rate-limited", IDS),
        ("refused-by-registry", IDS),
        ("key-not-allowed", IDS),
        ("maintenance", IDS),
        ("passthrough", PASSTHROUGH),
    ],
)
def test_what_is_recorded_plays_back(
    record: Record, tmp_path: Path, name: str, inputs: dict[str, str]
) -> None:
    """The file fits the schema, and the action has the same log and calls with it as before."""
    original = FakeApi([tenant(name)])
    code, written, log = record(original, inputs)
    assert code == 0

    data = json.loads(written.read_text("utf-8"))
    jsonschema.validate(data, SCHEMA, jsonschema.Draft202012Validator)
    with FakeApi([recording.parse("written", data)]) as copy:
        again = run_job(tmp_path / "again", copy.url, inputs)
    copy.verify()
    assert neutral(again) == neutral(log)
    assert copy.calls() == original.calls()


@pytest.mark.parametrize("inputs", [IDS, PASSTHROUGH], ids=["vault", "passthrough"])
def test_nothing_of_the_origin_is_written(record: Record, inputs: dict[str, str]) -> None:
    """No key, token, id, host or name of the tenant is in the file, but that it is captured."""
    api = FakeApi([tenant("passthrough" if inputs is PASSTHROUGH else "slow-login")])
    _, written, _ = record(api, inputs)

    text = written.read_text("utf-8")
    operations = {seen.path.rpartition("/")[2] for seen in api.requests if seen.method == "GET"}
    own = {KEY, *inputs.values(), *PRIVATE.values(), *operations, ALICE, "octocat", "127.0.0.1"}
    assert [private for private in own if private in text] == []
    assert json.loads(text)["origin"]["kind"] == "captured"
    assert re.search(r"on \d{4}-\d\d-\d\d$", json.loads(text)["origin"]["known"][0]["where"])


def test_polls_are_folded(record: Record) -> None:
    """However often it was polled, a login is running until a time, and then it has ended."""
    _, written, _ = record(FakeApi([tenant("slow-login")]))

    poll = json.loads(written.read_text("utf-8"))["exchanges"][1]
    running, ended = poll["responses"]
    assert poll["times"] == {"least": 1}
    assert running["lasts"]["seconds"] >= 2
    assert [running["body"]["status"], ended["body"]["status"]] == ["running", "completed"]
    assert "lasts" not in ended


def spellings() -> dict[str, str]:
    """Give what must not be written, by what it is."""
    encoded = base64.b64encode(f"x{KEY}x".encode()).decode()
    return {
        "the key": KEY,
        "the key in capitals": KEY.upper(),
        "the key in base64": f"Basic-ish {encoded}",
        "the key in hex": KEY.encode().hex(),
        "another key": "rk_t_other",
        "a header": "Authorization: x",
        "a bearer": "Bearer abcdef",
        "a JWT": "eyJhbGciOiJIUzI1NiJ9.e30.abc",
        "a token of GitHub": "ghp_abcd1234",
        "a key of AWS": "AKIAIOSFODNN7EXAMPLE",
        "a private key": "-----BEGIN RSA PRIVATE KEY-----",
        "a password in an address": "postgres://me:secret@db",
        "chance": "Kx92mQp71ZtLw04vRb8s",
    }


@pytest.mark.parametrize("name", spellings())
def test_what_looks_like_a_secret_is_found(name: str) -> None:
    """A text with it in it is told by its place, and not itself."""
    text = f"said {spellings()[name]} and more"
    data = {"exchanges": [{"responses": [{"body": {"detail": text}}]}]}

    found = leaks.find(data, [KEY], [])
    assert found
    assert all(line.startswith("$.exchanges[0].responses[0].body.detail: ") for line in found)
    assert not [line for line in found if spellings()[name] in line]


@pytest.mark.parametrize("name", recording.names())
def test_what_is_no_secret_is_not_found(name: str) -> None:
    """Nothing in the recordings that are there would have been refused."""
    data = json.loads((recording.RECORDINGS / f"{name}.json").read_text("utf-8"))

    assert leaks.find(data, [KEY, TOKEN], IDS.values()) == []


ECHOES: dict[str, Callable[[], FakeApi]] = {
    "in its error": lambda: play(
        login({"status": 403, "body": {"detail": f"The key {KEY} may not do this"}})
    ),
    "in docker's words": lambda: play(
        login(accepted()),
        polls("login", {"status": "failed", "result": {"exit_code": 1, "stderr": f"bad {KEY}"}}),
    ),
    "as the name of a field": lambda: play(
        login({"status": 403, "body": {"detail": "No", KEY: True}})
    ),
}


@pytest.mark.parametrize("name", ECHOES)
def test_an_echo_of_the_key_is_not_written(
    record: Record, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Where the API says the key again, nothing is written, and the key is not said either."""
    code, written, _ = record(ECHOES[name]())

    assert code == 1
    assert not written.exists()
    told = "".join(capsys.readouterr())
    assert "a secret that was sent" in told
    assert KEY not in told


def test_an_id_that_stays_is_not_written(record: Record) -> None:
    """An id in a place where nothing replaces it keeps the recording from being written."""
    code, written, _ = record(
        play(login({"status": 404, "body": {"detail": "No", IDS["server_id"]: 1}}))
    )

    assert (code, written.exists()) == (1, False)


def test_an_api_that_cannot_be_reached_is_not_recorded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A fault between recorder and API is none of the API: it is told, and nothing is written."""
    with FakeApi([]) as gone:
        pass
    with Recorder(gone.url) as recorder:
        run_job(tmp_path, recorder.url, {**IDS, "timeout": "1"})

    assert finish(recorder, tmp_path / "written.json", "Made by a test") == 1
    assert "refused" in capsys.readouterr().err
    assert not (tmp_path / "written.json").exists()


@pytest.mark.parametrize("url", ["http://api.example.com", "api.example.com", "ftp://localhost"])
def test_the_key_is_sent_by_https_alone(url: str) -> None:
    """Plain http to another machine, and what is no address, is refused before it listens."""
    with pytest.raises(ValueError, match="https"):
        Recorder(url)


@pytest.mark.parametrize("is_trusted", [True, False])
def test_the_real_api_is_asked_over_tls(tmp_path: Path, *, is_trusted: bool) -> None:
    """A certificate that is trusted lets the conversation through; without trust no key is sent."""
    authority = trustme.CA()
    its = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(its)
    ours = ssl.create_default_context()
    if is_trusted:
        authority.configure_trust(ours)
    with (
        FakeApi([recording.load("ghcr")], tls=its) as api,
        Recorder(api.url, tls=ours) as recorder,
    ):
        run_job(tmp_path, recorder.url, {**IDS, "timeout": "1"})

    assert bool(api.requests) == is_trusted
    assert finish(recorder, tmp_path / "written.json", "Made by a test") == (not is_trusted)


def start(*arguments: str) -> subprocess.Popen[str]:
    """Start the recorder's command line."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.fake_api.record", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_the_command_records_until_it_is_stopped(tmp_path: Path) -> None:
    """It tells its address, each request, and at Ctrl-C the file that it has written."""
    with FakeApi([recording.load("ghcr")]) as api:
        recorder = start("--to", "mine", "--folder", str(tmp_path), api.url)
        assert recorder.stdout
        url = recorder.stdout.readline().split()[-1]
        run_job(tmp_path / "job", url, IDS)
        told = [recorder.stdout.readline() for _ in range(4)]
        recorder.send_signal(signal.SIGINT)
        output, _ = recorder.communicate(timeout=20)

    assert "POST /api/automation/v1/registry-auth/login -> 202\n" in told
    assert recorder.returncode == 0
    assert f"Written: {tmp_path / 'mine.json'}" in output
    assert json.loads((tmp_path / "mine.json").read_text("utf-8"))["exchanges"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--help"], 0, "Read it before you commit it"),
        (["--to", "ghcr", "https://api.example.com"], 2, "is there already"),
        (["--to", "../x", "https://api.example.com"], 2, "is no name"),
        (["--to", "mine", "http://api.example.com"], 2, "Plain http"),
    ],
)
def test_the_command_explains_itself(arguments: list[str], code: int, said: str) -> None:
    """What it cannot begin with is told, and nothing that is there is written over."""
    refused = start(*arguments)
    output, _ = refused.communicate(timeout=20)

    assert refused.returncode == code
    assert said in output


def test_an_answer_that_is_no_json_is_left_out(record: Record) -> None:
    """A page of somebody's proxy may tell anything: of it only its status is kept."""
    page = "<html>Proxy of prod-7.acme.internal</html>"
    code, written, _ = record(play(login({"status": 404, "body": page})))

    answer: dict[str, Any] = json.loads(written.read_text("utf-8"))["exchanges"][0]["responses"][0]
    assert code == 0
    assert answer == {"status": 404, "body": "<html><body>(left out)</body></html>"}
