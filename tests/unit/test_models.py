"""Tests of lib.api.models."""

from __future__ import annotations

from typing import Any

import pytest

from lib.api.models import (
    AcceptedLogin,
    LogoutRequest,
    Operation,
    PassthroughLogin,
    VaultLogin,
    invalid_response,
    operation_endpoint,
    parse_logout,
)
from lib.errors import InvalidResponse
from lib.run_context import RunContext

CONTEXT = {
    "provider": "github_actions",
    "repository": "acme/shop",
    "workflow": "",
    "trigger": "push",
    "actor": "octocat",
}
ACCEPTED = {"operation_id": "op-1", "registry_url": "ghcr.io", "registry_type": "ghcr"}
VAULT = VaultLogin(server_id="s", credential_id="c")
DIRECT = PassthroughLogin(server_id="s", registry_url="r", username="u", access_token="hunter2")
LOGOUT = LogoutRequest(server_id="s", registry_url="r")


def test_run_context_has_exactly_the_fields_of_the_api() -> None:
    known = RunContext(**CONTEXT, sha="0123abc", ref="refs/heads/main", run_id="42")
    assert known.body() == {
        "run_id": "42",
        "run_context": {**CONTEXT, "sha": "0123abc", "ref": "refs/heads/main"},
    }
    unknown = RunContext(**CONTEXT, sha="", ref="", run_id="")
    assert unknown.body() == {"run_context": CONTEXT}


def test_requests_have_their_fields_and_no_others() -> None:
    assert VAULT.body() == {"server_id": "s", "credential_id": "c"}
    assert LOGOUT.body() == {"server_id": "s", "registry_url": "r"}
    assert DIRECT.body() == {**LOGOUT.body(), "username": "u", "access_token": "hunter2"}
    assert (VAULT.registry_url, DIRECT.credential_id) == ("", "")
    assert "s" in VAULT.description
    assert "c" in VAULT.description


def test_access_token_is_not_in_texts() -> None:
    assert "hunter2" not in f"{DIRECT!r} {DIRECT} {DIRECT.description}"


def test_endpoints_have_the_documented_paths() -> None:
    endpoints = [VAULT.endpoint, DIRECT.endpoint, LOGOUT.endpoint, operation_endpoint("op-1")]
    assert [(endpoint.method, endpoint.path) for endpoint in endpoints] == [
        ("POST", "/registry-auth/login"),
        ("POST", "/registry-auth/login-direct"),
        ("POST", "/registry-auth/logout"),
        ("GET", "/operations/op-1"),
    ]
    for endpoint, scope in zip(endpoints, ["login", "login", "logout", "login"], strict=True):
        assert f"registry_{scope}" in endpoint.requires


def test_accepted_login_ignores_unknown_fields() -> None:
    expected = AcceptedLogin(operation_id="op-1", registry_url="ghcr.io", registry_type="ghcr")
    assert AcceptedLogin.from_json({**ACCEPTED, "status": "running", "new": [1]}) == expected
    assert (expected.operation, expected.maybe_repeated) == (None, False)


@pytest.mark.parametrize("name", sorted(ACCEPTED))
@pytest.mark.parametrize("value", [None, 1, [], {}, True, "", "a b", "x\n", "${{ x }}", "a" * 513])
def test_unusable_field_of_accepted_login_is_empty(name: str, value: object) -> None:
    accepted = AcceptedLogin.from_json({**ACCEPTED, name: value})
    found = {field: getattr(accepted, field) for field in ACCEPTED}
    assert found == {**ACCEPTED, name: ""}


@pytest.mark.parametrize(
    ("fields", "is_used"),
    [
        ({"status": "completed", "result": {"exit_code": 0}}, True),
        ({"status": "completed", "exit_code": 0}, True),
        ({"status": "failed", "result": {}}, True),
        ({"status": "timeout", "result": {"stderr": "x"}}, True),
        ({"exit_code": 0}, True),
        ({"completed_at": "2026-01-01T00:00:00Z", "result": {}}, True),
        ({"status": "completed"}, False),
        ({"status": "completed", "result": None}, False),
        ({"status": "completed", "result": "0"}, False),
        ({"status": "running", "result": {"exit_code": 0}}, False),
        ({"status": "queued", "result": {}}, False),
        ({"result": {}}, False),
        ({}, False),
    ],
)
def test_login_response_with_a_result_needs_no_poll(
    fields: dict[str, Any], *, is_used: bool
) -> None:
    operation = AcceptedLogin.from_json({**ACCEPTED, **fields}).operation
    assert operation == (Operation.from_json({**ACCEPTED, **fields}) if is_used else None)


@pytest.mark.parametrize("data", [None, [], "text", 1, True, [ACCEPTED]])
def test_response_that_is_no_object_is_invalid(data: object) -> None:
    for parse in (AcceptedLogin.from_json, Operation.from_json):
        with pytest.raises(InvalidResponse) as caught:
            parse(data)
        assert not caught.value.retryable
    assert parse_logout(data) == Operation()


def test_operation_is_parsed_from_documented_fields() -> None:
    result = {"exit_code": 7, "stdout": "out", "stderr": "err", "duration_ms": 5}
    fields = {"operation_id": "op-1", "status": "failed", "server_name": "build-1"}
    expected = Operation(
        operation_id="op-1",
        status="failed",
        server_name="build-1",
        exit_code=7,
        stdout="out",
        stderr="err",
    )
    assert Operation.from_json({**fields, "result": result, "completed_at": None}) == expected
    assert parse_logout({**fields, "result": result}) == expected
    assert not expected.completed_at
    assert expected.output == "err"
    assert Operation.from_json({"result": {"stdout": "out"}}).output == "out"
    assert "out" not in repr(expected)


@pytest.mark.parametrize("name", ["operation_id", "status", "server_name", "stdout", "stderr"])
@pytest.mark.parametrize("value", [None, 7, [], {}, True])
def test_unusable_field_of_operation_is_empty(name: str, value: object) -> None:
    assert Operation.from_json({name: value, "result": {name: value}}) == Operation()


@pytest.mark.parametrize(
    ("value", "exit_code"),
    [
        *((code, code) for code in (0, 1, -1, 255, 2**32 - 1, -(2**32) + 1)),
        *((value, None) for value in ("0", True, False, 0.0, [], None, 2**32, -(2**32), 10**4000)),
    ],
)
def test_exit_code_is_a_32_bit_integer(value: object, exit_code: int | None) -> None:
    for fields in ({"result": {"exit_code": value}}, {"exit_code": value}):
        assert Operation.from_json(fields).exit_code == exit_code
    both = Operation.from_json({"exit_code": 9, "result": {"exit_code": value}})
    assert both.exit_code == exit_code


@pytest.mark.parametrize(
    ("status", "exit_code", "flags"),
    [
        # ended, succeeded, failed, reports_failure
        ("running", None, "----"), ("queued", None, "----"), ("", None, "----"),
        ("running", 0, "e---"), ("running", 1, "e-fr"),
        ("completed", 0, "es--"), ("completed", 1, "e-fr"), ("completed", None, "e---"),
        ("failed", 1, "e-fr"), ("failed", 0, "e--r"), ("failed", None, "e--r"),
        ("error", 1, "e-fr"), ("error", 0, "e--r"),
        ("timeout", 1, "e--r"), ("timeout", 0, "e--r"), ("timeout", None, "e--r"),
        ("cancelled", 1, "e--r"), ("canceled", 1, "e--r"), ("canceled", None, "e--r"),
    ],
)  # fmt: skip
def test_outcome_of_operation_needs_proof(status: str, exit_code: int | None, flags: str) -> None:
    found = Operation(status=status, exit_code=exit_code)
    properties = (found.ended, found.succeeded, found.failed, found.reports_failure)
    marks = [mark if is_set else "-" for mark, is_set in zip("esfr", properties, strict=True)]
    assert "".join(marks) == flags


@pytest.mark.parametrize(
    ("fields", "status", "ended"),
    [
        ({"completed_at": "2026-01-01T00:00:00Z"}, "completed", True),
        ({"completed_at": "x", "status": "odd"}, "odd", True),
        ({"exit_code": 3}, "completed", True),
        ({"completed_at": ""}, "", False),
        ({"status": "odd"}, "odd", False),
    ],
)
def test_completed_at_ends_an_operation(
    fields: dict[str, Any], status: str, *, ended: bool
) -> None:
    found = Operation.from_json(fields)
    assert (found.status, found.ended) == (status, ended)


def test_invalid_response_may_have_been_processed() -> None:
    error = invalid_response("odd")
    assert (error.retryable, error.maybe_processed) == (False, True)
    assert error.hint.anchor == "unexpected-response"
    assert invalid_response("odd", retryable=True).retryable
