"""Tests of lib.logout: what counts as logged out."""

from __future__ import annotations

import pytest

from lib.api.models import Operation
from lib.errors import LogoutFailed
from lib.logout import _is_verified

NOT_ERASED = "WARNING: could not erase credentials: x"
NOT_LOGGED_IN = "Not logged in to https://index.docker.io/v1/"


def ended(status: str, exit_code: int | None, stderr: str = "", stdout: str = "") -> Operation:
    result = {"exit_code": exit_code, "stderr": stderr, "stdout": stdout}
    return Operation.from_json({"operation_id": "op-2", "status": status, "result": result})


@pytest.mark.parametrize("operation", [
    ended("completed", 0), ended("completed", 1, NOT_LOGGED_IN),
    ended("completed", 1, f"{NOT_LOGGED_IN}\r"), ended("failed", None, "not logged in to ghcr.io"),
    ended("failed", 1, stdout="x\nError: not logged into ghcr.io\n"),  # podman
])  # fmt: skip
def test_logout_is_proven_by_exit_code_or_output(operation: Operation) -> None:
    assert _is_verified(operation)


@pytest.mark.parametrize("operation", [
    ended("failed", None), ended("timeout", None), ended("canceled", 0),
    ended("timeout", 1, NOT_LOGGED_IN), ended("completed", 1, f"{NOT_LOGGED_IN}\n{NOT_ERASED}"),
    ended("completed", 1, "You are not logged in to x"), ended("completed", 1, "not logged in"),
    ended("completed", 0, "x", stdout=NOT_ERASED), ended("completed", None, stdout=NOT_ERASED),
])  # fmt: skip
def test_reported_failure_fails_the_logout(operation: Operation) -> None:
    with pytest.raises(LogoutFailed) as caught:
        _is_verified(operation)
    assert (caught.value.operation_id, caught.value.hint.anchor) == ("op-2", "logout-failed")
