"""What the client makes of the API's answers."""

from __future__ import annotations

from typing import Any

import pytest

from lib.clock import Deadline
from lib.errors import ApiError, OperationUnfinished, ProtocolError, Refusal
from lib.models import LogoutRequest, VaultLogin
from tests.integration.conversation import accepted, login, logout, play, polls
from tests.integration.job import CREDENTIAL_ID, SERVER_ID, connect

LOGIN = VaultLogin(server_id=SERVER_ID, credential_id=CREDENTIAL_ID)
LOGOUT = LogoutRequest(server_id=SERVER_ID, registry_url="ghcr.io")
DONE = {"status": "completed", "result": {"exit_code": 0}}


def refuse(status: int, body: object, headers: dict[str, str] | None = None) -> Refusal:
    """Give the error of a login that is answered so."""
    answer = {"status": status, "body": body, "headers": headers or {}}
    with play(login(answer)) as api:
        client, clock = connect(api.url)
        with pytest.raises(Refusal) as caught:
            client.log_in(LOGIN, Deadline(clock, 60))
        api.verify()
    return caught.value


@pytest.mark.parametrize(
    ("detail", "said"),
    [
        ("no\n::error::x\x1b[31m", "no : :error: :x"),
        ([{"loc": ["body", "server_id"], "msg": "bad"}], "server_id: bad"),
        ([{"loc": ["body", "a", 0], "msg": "x"}, {"loc": ["query", "b"], "msg": "y"}],
         "a.0: x; query.b: y"),
        ([{"msg": "x"}, {"loc": [], "msg": "y"}, {"loc": ["body", "c"]}],
         "request: x; request: y; c: not accepted"),
        (["one", 2, None], "one; not accepted; not accepted"),
        ([], ""),
        ({"code": 7}, ""),
        (None, ""),
        (7, ""),
    ],
)  # fmt: skip
def test_the_apis_own_words_are_told(detail: object, said: str) -> None:
    """FastAPI's detail, a text or a list, becomes one line; anything else is left out."""
    assert refuse(400, {"detail": detail}).said == said


@pytest.mark.parametrize("location", [7, True, "server_id", {"body": 1}, None])
def test_a_location_that_is_no_list_does_no_harm(location: object) -> None:
    """An error that another program made in FastAPI's shape is a refusal all the same."""
    assert "bad" in refuse(422, {"detail": [{"loc": location, "msg": "bad"}]}).said


@pytest.mark.parametrize("body", ["<html><h1>Blocked</h1></html>", None, ["detail"], "text"])
def test_the_words_of_a_proxy_are_not_the_apis(body: object) -> None:
    """No HTML is shown, whatever the status."""
    error = refuse(403, body)
    assert error.said == ""
    assert "<" not in str(error)


def test_the_apis_words_are_bounded() -> None:
    """A long detail is cut, and of a list only the first fields are told."""
    assert len(refuse(400, {"detail": "x" * 100_000}).said) < 1000
    many = [{"loc": ["body", f"f{number}"], "msg": "bad"} for number in range(100)]
    assert refuse(422, {"detail": many}).said.count("bad") == 5


def test_the_wait_that_is_asked_for_is_known() -> None:
    """Retry-After comes with the error."""
    error = refuse(429, {"detail": "slow down"}, {"Retry-After": "7200"})
    assert error.retry_after == 7200


def test_a_login_is_sent_again_after_a_passing_fault() -> None:
    """The requests are the same, and the wait was slept on the clock that was handed in."""
    with play(login({"status": 502, "body": "<html>"}, accepted()), polls("login", DONE)) as api:
        client, clock = connect(api.url)
        found = client.log_in(LOGIN, Deadline(clock, 60))
        assert client.follow(found.operation_id, Deadline(clock, 60)).succeeded
        api.verify()
    assert len(clock.sleeps) == 1
    assert api.requests[0].body == api.requests[1].body


def test_a_base_path_is_kept() -> None:
    """An API below a path is asked below that path."""
    with play() as api:
        client, clock = connect(f"{api.url}/reoclo")
        with pytest.raises(Refusal):
            client.log_in(LOGIN, Deadline(clock, 60))
    assert api.requests[0].path == "/reoclo/api/automation/v1/registry-auth/login"


@pytest.mark.parametrize(
    ("answer", "operation"),
    [
        ({"status": 200, "body": {"operation_id": "op-2", "status": "running"}}, "op-2"),
        ({"status": 202, "body": {"operation_id": "op-2", "status": "running"}}, "op-2"),
        ({"status": 204}, None),
        ({"status": 200, "body": "  \n"}, None),
    ],
)
def test_a_logout_may_name_its_operation_or_not(
    answer: dict[str, Any], operation: str | None
) -> None:
    """200 and 202 name one; 204 means that all is done."""
    with play(login(accepted()), logout(answer)) as api:
        client, clock = connect(api.url)
        client.log_in(LOGIN, Deadline(clock, 60))
        found = client.log_out(LOGOUT, Deadline(clock, 60))
        api.verify()
    assert (found and found.operation_id) == operation


def test_a_logout_that_is_answered_with_html_is_an_error() -> None:
    """A login page with status 200 is no logout."""
    with play(login(accepted()), logout({"status": 200, "body": "<html>"})) as api:
        client, clock = connect(api.url)
        client.log_in(LOGIN, Deadline(clock, 60))
        with pytest.raises(ProtocolError, match="api_url"):
            client.log_out(LOGOUT, Deadline(clock, 60))


def test_a_poll_that_is_refused_names_its_operation() -> None:
    """A key that was revoked meanwhile ends the wait at once."""
    refused = {"method": "GET", "path": "/api/automation/v1/operations/<login_operation>"}
    answer = {"status": 401, "body": {"detail": "revoked"}}
    poll = {"request": refused, "responses": [answer]}
    with play(login(accepted()), poll) as api:
        client, clock = connect(api.url)
        operation = client.log_in(LOGIN, Deadline(clock, 60)).operation_id
        with pytest.raises(ApiError, match="does not accept the key") as caught:
            client.follow(operation, Deadline(clock, 60))
    assert caught.value.operation_id == operation
    assert clock.sleeps == []


def test_polls_that_fail_until_the_end_tell_what_was_known() -> None:
    """The error has the last status that was seen, the fault, the operation and the time."""
    path = "/api/automation/v1/operations/<login_operation>"
    running = {"operation_id": "op", "status": "provisioning"}
    poll = {
        "request": {"method": "GET", "path": path},
        "times": {"least": 2},
        "responses": [
            {"status": 200, "body": running, "lasts": {"requests": 1}},
            {"status": 503, "body": {"detail": "down"}},
        ],
    }
    with play(login(accepted()), poll) as api:
        client, clock = connect(api.url)
        operation = client.log_in(LOGIN, Deadline(clock, 60)).operation_id
        with pytest.raises(OperationUnfinished) as caught:
            client.follow(operation, Deadline(clock, 60))
        api.verify()
    told = str(caught.value)
    assert "its last status was provisioning: The Reoclo API has a problem of its own (503" in told
    assert told.endswith(f"(Operation {operation}.)")
    assert sum(clock.sleeps) <= 60


def test_each_request_and_each_retry_is_told() -> None:
    """Debug lines have method, path and status; a retry says why and when."""
    debug: list[str] = []
    info: list[str] = []
    with play(login({"status": 500, "body": ""}, accepted())) as api:
        client, clock = connect(api.url, info=info.append, debug=debug.append)
        client.log_in(LOGIN, Deadline(clock, 60))
    assert debug == ["POST /registry-auth/login: 500", "POST /registry-auth/login: 202"]
    assert len(info) == 1
    assert info[0].endswith(f"Trying again in {clock.sleeps[0]:.1f} s.")


def test_what_is_sent_is_json() -> None:
    """The API gets JSON with its type, and is asked for JSON."""
    with play(login(accepted())) as api:
        client, clock = connect(api.url)
        client.log_in(LOGIN, Deadline(clock, 60))
    headers = api.requests[0].headers
    assert headers["Content-Type"] == "application/json"
    assert headers["Accept"] == "application/json"
    assert headers["User-Agent"].startswith("reoclo-docker-auth/")
