"""What goes to the API and what comes from it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from lib.errors import ProtocolError
from lib.models import (
    AcceptedLogin,
    AcceptedLogout,
    LogoutRequest,
    Operation,
    OperationResult,
    PassthroughLogin,
    Run,
    VaultLogin,
    is_operation_id,
    is_registry_url,
)

RUN = Run(
    provider="github_actions",
    repository="acme/shop",
    workflow="Deploy",
    trigger="push",
    actor="octocat",
    sha="0123abc",
    ref="refs/heads/main",
    run_id="42",
)
ACCEPTED = {
    "operation_id": "op-1",
    "registry_url": "ghcr.io",
    "registry_type": "ghcr",
}


def operation(status: str, result: dict[str, Any] | None = None) -> Operation:
    """Read an operation as the API tells of it."""
    return Operation.from_json({"operation_id": "op-1", "status": status, "result": result})


def test_the_run_context_has_seven_keys() -> None:
    """A run of which all is known has exactly the fields of the API."""
    body = RUN.body()
    assert list(body) == ["run_id", "run_context"]
    assert list(body["run_context"]) == [
        "provider", "repository", "workflow", "trigger", "actor", "sha", "ref",
    ]  # fmt: skip


def test_what_is_not_known_of_a_run_is_left_out_where_it_may() -> None:
    """The first five are always there, if need be empty; the others only if known."""
    unknown = dataclasses.replace(RUN, workflow="", actor="", sha="", ref="", run_id="")
    assert unknown.body() == {
        "run_context": {
            "provider": "github_actions",
            "repository": "acme/shop",
            "workflow": "",
            "trigger": "push",
            "actor": "",
        }
    }


def test_requests_have_their_fields_and_no_others() -> None:
    """A login names server and credential or its own token, a logout server and registry."""
    login = VaultLogin(server_id="s", credential_id="c")
    direct = PassthroughLogin(server_id="s", registry_url="r", username="u", access_token="t")
    logout = LogoutRequest(server_id="s", registry_url="r")
    assert login.body() == {"server_id": "s", "credential_id": "c"}
    assert direct.body() == {**logout.body(), "username": "u", "access_token": "t"}
    assert logout.body() == {"server_id": "s", "registry_url": "r"}


def test_the_token_is_not_in_the_repr() -> None:
    """Neither a traceback nor a message shows the workflow's own token."""
    login = PassthroughLogin(
        server_id="s", registry_url="ghcr.io", username="u", access_token="hunter2"
    )
    assert "hunter2" not in f"{login!r} {login}"


def test_an_accepted_login_is_read_whatever_else_is_in_it() -> None:
    """A field that a later API adds does no harm."""
    accepted = AcceptedLogin.from_json({**ACCEPTED, "new": [1]})
    assert accepted == AcceptedLogin(
        operation_id="op-1", registry_url="ghcr.io", registry_type="ghcr"
    )


@pytest.mark.parametrize("name", sorted(ACCEPTED))
@pytest.mark.parametrize("value", [None, 1, [], {}, True])
def test_every_field_of_an_accepted_login_is_a_text(name: str, value: object) -> None:
    """A field that is missing or of another kind is named."""
    with pytest.raises(ProtocolError, match=f"expected {name} to be a text"):
        AcceptedLogin.from_json({**ACCEPTED, name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("operation_id", "../keys"),
        ("operation_id", "a/b"),
        ("operation_id", ""),
        ("operation_id", "a?b"),
        ("operation_id", "op-1\n"),
        ("operation_id", "a" * 129),
        ("registry_url", "ghcr.io\nx=y"),
        ("registry_url", "ghcr.io; id"),
        ("registry_url", "$(id)"),
        ("registry_url", "-v"),
        ("registry_url", "user@ghcr.io"),
        ("registry_url", "${{ secrets.X }}"),
        ("registry_type", "gh cr"),
        ("registry_type", ""),
        ("registry_type", "ghcr\n"),
    ],
)
def test_what_could_be_more_than_text_is_refused(name: str, value: str) -> None:
    """A value for a URL, a shell or an output is checked, and not shown when it is bad."""
    with pytest.raises(ProtocolError) as caught:
        AcceptedLogin.from_json({**ACCEPTED, name: value})
    assert f"expected {name} to look like one" in str(caught.value)


@pytest.mark.parametrize("data", [None, [], "text", 1, [ACCEPTED]])
def test_an_answer_is_an_object(data: object) -> None:
    """Whatever else is no answer of the API."""
    for read in (AcceptedLogin, AcceptedLogout, Operation, OperationResult):
        with pytest.raises(ProtocolError, match="expected a JSON object"):
            read.from_json(data)


def test_an_accepted_logout_is_read() -> None:
    """It has an operation."""
    accepted = AcceptedLogout.from_json({"operation_id": "op-2", "status": "running"})
    assert accepted.operation_id == "op-2"


@pytest.mark.parametrize("exit_code", ["0", True, 0.0, [], 2**32, -(2**32), 10**4000])
def test_an_exit_code_is_a_whole_number(exit_code: object) -> None:
    """Neither a text nor a bool is an exit code."""
    with pytest.raises(ProtocolError, match="exit_code"):
        operation("completed", {"exit_code": exit_code})


@pytest.mark.parametrize("field", ["stdout", "stderr"])
def test_a_stream_is_a_text_or_nothing(field: str) -> None:
    """A stream that is missing is empty; one of another kind is an error."""
    found = operation("completed", {"exit_code": 0, field: None}).result
    assert found == OperationResult(exit_code=0, stdout="", stderr="")
    with pytest.raises(ProtocolError, match=field):
        operation("completed", {field: 7})


@pytest.mark.parametrize(
    ("status", "exit_code", "ended", "succeeded", "failed"),
    [
        ("running", None, False, False, False),
        ("queued", None, False, False, False),
        ("running", 0, False, False, False),
        ("completed", 0, True, True, False),
        ("completed", 1, True, False, True),
        ("completed", None, True, False, False),
        ("failed", 1, True, False, True),
        ("failed", 0, True, False, False),
        ("failed", None, True, False, False),
        ("timeout", 1, True, False, False),
        ("timeout", None, True, False, False),
    ],
)
def test_the_end_of_an_operation_is_judged_with_care(
    status: str, exit_code: int | None, *, ended: bool, succeeded: bool, failed: bool
) -> None:
    """Only what is certain counts as success or as failure; unknown statuses may go on."""
    found = operation(status, {"exit_code": exit_code})
    assert (found.ended, found.succeeded, found.failed) == (ended, succeeded, failed)


def test_an_operation_that_completed_without_a_result_is_neither() -> None:
    """It may have logged the server in."""
    found = operation("completed")
    assert (found.ended, found.succeeded, found.failed) == (True, False, False)


def test_texts_are_told_apart_for_post() -> None:
    """The same rules hold for what comes out of the state."""
    assert is_operation_id("11111111-2222-4333-8444-555555555555")
    assert is_registry_url("registry.example.com:5000/team_a")
    assert is_registry_url("https://index.docker.io/v1/")
    assert not is_operation_id("../x")
    assert not is_registry_url("")
