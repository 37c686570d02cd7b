"""The fake API itself: a test that relies on it must be able to fail."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.fake_api import FakeApi, recording

ROOT = Path(__file__).resolve().parents[2]
BASE = "/api/automation/v1"
LOGIN = {
    "server_id": "11111111-2222-4333-8444-555555555555",
    "credential_id": "66666666-7777-4888-9999-000000000000",
    "run_context": dict.fromkeys(("provider", "repository", "workflow", "trigger", "actor"), "x"),
}
TYPES = (
    "docker_hub",
    "ghcr",
    "aws_ecr",
    "google_artifact_registry",
    "azure_acr",
    "harbor",
    "generic",
)


def ask(url: str, path: str, body: object = None, key: str = "rca_example") -> tuple[int, Any]:
    """Ask a server, and give the status and the JSON of its answer."""
    request = urllib.request.Request(  # noqa: S310
        url + BASE + path,
        None if body is None else json.dumps(body).encode(),
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, json.loads(refusal.read())


@pytest.mark.parametrize("name", recording.names())
def test_each_recording_fits_the_schema(name: str) -> None:
    """Each recording has the documented form, and says where its facts come from."""
    schema = json.loads((recording.FIXTURES / "schema.json").read_text("utf-8"))
    data = json.loads((recording.RECORDINGS / f"{name}.json").read_text("utf-8"))

    jsonschema.validate(data, schema, jsonschema.Draft202012Validator)


def field_names(value: object) -> Iterator[str]:
    """Yield the name of every field in a JSON value."""
    if isinstance(value, dict):
        yield from value
    entries = value.values() if isinstance(value, dict) else value
    if isinstance(entries, Iterable) and not isinstance(entries, str):
        for entry in entries:
            yield from field_names(entry)


@pytest.mark.parametrize("name", recording.names())
def test_origin_names_every_field(name: str) -> None:
    """A field is known from a public source, or it is invented; `origin` says which."""
    data = json.loads((recording.RECORDINGS / f"{name}.json").read_text("utf-8"))
    facts = data["origin"]["known"] + data["origin"]["invented"]
    named = {word for fact in facts for word in re.findall(r"\w+", fact["what"])}
    bodies = [
        part.get("body")
        for exchange in data["exchanges"]
        for part in (exchange["request"], *exchange["responses"])
    ]

    assert set(field_names(bodies)) - named == set()


def test_null_is_not_an_empty_body() -> None:
    """A response with the JSON null has a body; one without `body` has none."""
    with FakeApi([recording.load(name) for name in ("logout-null", "logout-no-body")]) as api:
        assert [log_in_and_out(api.url) for _ in range(2)] == [b"null", b""]


def log_in_and_out(url: str) -> bytes:
    """Send a login, a poll and a logout, and return the body of the last response."""
    operation = ask(url, "/registry-auth/login", LOGIN)[1]["operation_id"]
    ask(url, f"/operations/{operation}")
    body = {
        "server_id": LOGIN["server_id"],
        "registry_url": "ghcr.io",
        "run_context": LOGIN["run_context"],
    }
    request = urllib.request.Request(  # noqa: S310
        f"{url}{BASE}/registry-auth/logout",
        json.dumps(body).encode(),
        {"Authorization": "Bearer rca_example", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
        return bytes(response.read())


@pytest.mark.parametrize("name", recording.names())
def test_no_recording_has_a_secret_in_it(name: str) -> None:
    """No recording has a key in it, nor an Authorization header."""
    text = (recording.RECORDINGS / f"{name}.json").read_text("utf-8").lower()

    assert not [sign for sign in ("rca_", "rk_", "bearer", "authorization") if sign in text]


def test_every_registry_type_is_recorded() -> None:
    """There is a recording of each of the seven types of registry."""
    texts = [path.read_text("utf-8") for path in recording.RECORDINGS.glob("*.json")]

    missing = [kind for kind in TYPES if not any(f'"{kind}"' in text for text in texts)]
    assert missing == []


def test_an_unexpected_request_fails_the_test() -> None:
    """A request that no recording expects gets 418, and verify() names it."""
    with FakeApi([]) as api:
        assert ask(api.url, "/registry-auth/login", LOGIN)[0] == 418

    with pytest.raises(AssertionError, match=r"unexpected: POST .*/registry-auth/login"):
        api.verify()


def test_a_missing_request_fails_the_test() -> None:
    """A logout that was recorded and did not come is named by verify()."""
    with FakeApi([recording.load("ghcr")]) as api:
        _, accepted = ask(api.url, "/registry-auth/login", LOGIN)
        ask(api.url, f"/operations/{accepted['operation_id']}")

    with pytest.raises(AssertionError, match=r"missing: POST .*/registry-auth/logout"):
        api.verify()


def test_a_recording_that_is_never_begun_fails_the_test() -> None:
    """A login that was recorded and did not come is named by verify()."""
    with FakeApi([recording.load("ghcr")]) as api:
        pass

    with pytest.raises(AssertionError, match="missing: a login for ghcr"):
        api.verify()


@pytest.mark.parametrize(
    "change",
    [{"server_id": "build-1"}, {"extra": "x"}, {"run_context": {"provider": "x"}}],
    ids=["no UUID", "a field too many", "fields missing"],
)
def test_a_body_that_is_not_as_recorded_is_unexpected(change: dict[str, Any]) -> None:
    """A login with a wrong, an additional or a missing field is not answered."""
    with FakeApi([recording.load("ghcr")]) as api:
        assert ask(api.url, "/registry-auth/login", {**LOGIN, **change})[0] == 418


def test_a_request_without_a_key_is_unexpected() -> None:
    """Without an automation key nothing is answered, and nothing is in the audit trail."""
    with FakeApi([recording.load("ghcr")]) as api:
        assert ask(api.url, "/registry-auth/login", LOGIN, key="nobody")[0] == 418
        assert api.audit_trail == []


def test_requests_out_of_order_are_unexpected() -> None:
    """A logout before the login's end was asked for is not answered."""
    with FakeApi([recording.load("ghcr")]) as api:
        ask(api.url, "/registry-auth/login", LOGIN)
        logout = {"server_id": LOGIN["server_id"], "registry_url": "ghcr.io"}

        status, _ = ask(
            api.url, "/registry-auth/logout", {**logout, "run_context": LOGIN["run_context"]}
        )
        assert status == 418


def test_an_operation_can_last_however_often_it_is_polled() -> None:
    """An operation that ends after some seconds is still going at the tenth poll before that."""
    played = recording.load("slow-login").exchanges[1]

    before = {played.respond(count, 1.99).body["status"] for count in range(10)}
    after = played.respond(0, 2.0).body["status"]
    assert (before, after) == ({"running"}, "completed")


def test_an_answer_can_last_for_a_number_of_requests() -> None:
    """An answer for one request is given to the first, and the next one after that."""
    played = recording.load("rate-limited").exchanges[0]

    assert [played.respond(count, 0.0).status for count in range(3)] == [429, 202, 202]


def test_several_logins_have_operations_of_their_own() -> None:
    """Two logins at once are two conversations: each is polled by its own operation."""
    with FakeApi([recording.load("slow-login"), recording.load("refused-by-registry")]) as api:
        slow, refused = (ask(api.url, "/registry-auth/login", LOGIN)[1] for _ in range(2))

        assert ask(api.url, f"/operations/{refused['operation_id']}")[1]["status"] == "failed"
        assert ask(api.url, f"/operations/{slow['operation_id']}")[1]["status"] == "running"


def test_the_audit_trail_says_who_what_when_and_from_where() -> None:
    """The trail keeps each login with its context, and of the key no more than its ends."""
    context = {"provider": "p", "repository": "r", "workflow": "w", "trigger": "t", "actor": "a"}
    with FakeApi([recording.load("ghcr")]) as api:
        ask(
            api.url, "/registry-auth/login", {**LOGIN, "run_context": context}, key="rca_longer1234"
        )

    [entry] = api.audit_trail
    assert (entry.operation, entry.outcome, entry.key) == (
        "registry_login",
        "accepted",
        "rca_…1234",
    )
    assert (entry.repository, entry.workflow, entry.actor) == ("r", "w", "a")
    assert entry.at.endswith("Z")


def serve(*arguments: str) -> subprocess.Popen[str]:
    """Start the stand-alone server."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.fake_api", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_the_server_alone_serves_a_recording_again_and_again() -> None:
    """On its own it plays to every login, and tells the audit trail when it is stopped."""
    server = serve("ghcr")
    assert server.stdout is not None
    url = server.stdout.readline().split()[-1]
    for _ in range(2):
        assert ask(url, "/registry-auth/login", LOGIN)[0] == 202
    server.send_signal(signal.SIGINT)
    output, _ = server.communicate(timeout=20)

    assert server.returncode == 0
    assert output.count("registry_login  accepted") == 2


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--help"], 0, "curl"),
        (["--list"], 0, "refused-by-registry"),
        (["no-such-recording"], 2, "--list"),
    ],
)
def test_the_server_alone_explains_itself(arguments: list[str], code: int, said: str) -> None:
    """--help shows how to use it, --list what it plays, and a wrong name how to find one."""
    server = serve(*arguments)
    output, _ = server.communicate(timeout=20)

    assert server.returncode == code
    assert said in output


def test_the_fake_api_shares_no_code_with_the_action() -> None:
    """Nothing of the fake API or the runner imports lib, or it would agree with its bugs."""
    files = [*ROOT.glob("tests/fake_api/*.py"), *ROOT.glob("tests/runner/*.py")]

    assert files
    assert not [
        path for path in files if "import lib" in (text := path.read_text()) or "from lib" in text
    ]
