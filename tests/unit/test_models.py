"""Tests of lib.api.models."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from lib.api import models
from lib.api.models import AcceptedLogin, Operation
from lib.errors import InvalidResponse

ACCEPTED = {"operation_id": "op-1", "registry_url": "ghcr.io", "registry_type": "ghcr"}


def test_unusable_field_of_accepted_login_is_empty() -> None:
    found = AcceptedLogin.from_json({**ACCEPTED, "status": "running", "new": [1]})
    assert found == AcceptedLogin(**ACCEPTED, operation=None, maybe_repeated=False)
    values: list[object] = [None, 1, [], "a b", "x\n", "${{ x }}"]
    for name, value in itertools.product(ACCEPTED, values):
        accepted = AcceptedLogin.from_json({**ACCEPTED, name: value})
        assert {field: getattr(accepted, field) for field in ACCEPTED} == {**ACCEPTED, name: ""}


def test_login_response_with_a_result_needs_no_poll() -> None:
    rows: list[tuple[dict[str, Any], bool]] = [
        ({"status": "failed", "result": {}}, True), ({"completed_at": "x", "result": {}}, True),
        ({"exit_code": 3}, True), ({"status": "running", "result": {"exit_code": 0}}, True),
        ({"status": "completed"}, False), ({"status": "completed", "result": "0"}, False),
        ({"result": {}}, False), ({"completed_at": "", "result": {}}, False),
    ]  # fmt: skip
    for fields, has_result in rows:
        operation = Operation.from_json({**ACCEPTED, **fields})
        found = AcceptedLogin.from_json({**ACCEPTED, **fields}).operation
        assert found == (operation if has_result else None)


def test_response_that_is_no_object_is_invalid() -> None:
    for data in (None, [], "text", 1, True, [ACCEPTED]):
        with pytest.raises(InvalidResponse) as caught:
            AcceptedLogin.from_json(data)
        assert (caught.value.retryable, caught.value.maybe_processed) == (False, True)
        assert models.parse_logout(data) == Operation()


def test_operation_is_parsed_from_documented_fields() -> None:
    streams = {"stdout": "out", "stderr": "err"}
    fields = {"operation_id": "op-1", "status": "failed", "server_name": "build-1"}
    data = {**fields, "result": {"exit_code": 7, **streams, "duration_ms": 5}, "completed_at": None}
    expected = Operation(**fields, exit_code=7, **streams, has_end=True)
    assert Operation.from_json(data) == models.parse_logout(data) == expected
    assert (expected.output, Operation(stdout="out").output) == ("err", "out")
    assert "out" not in repr(expected)
    unusable = dict.fromkeys((*fields, *streams), 7)
    assert Operation.from_json({**unusable, "result": unusable}) == Operation()


def test_exit_code_is_a_32_bit_integer() -> None:
    valid = [0, 1, -1, 2**32 - 1, 1 - 2**32]
    for value in [*valid, "0", True, 0.0, None, 2**32, -(2**32), 10**4000]:
        nested = {"result": {"exit_code": value}}
        expected = value if value in valid and type(value) is int else None
        for fields in (nested, {"exit_code": value}, {"exit_code": 9, **nested}):
            assert Operation.from_json(fields).exit_code == expected


def test_outcome_of_operation_needs_proof() -> None:
    for status, flags in {  # with no exit code, 0, and 1
        "running": [" ", "s", "fr"], "": [" ", "s", "fr"], "completed": ["e", "es", "efr"],
        "failed": ["er", "er", "efr"], "error": ["er", "er", "efr"], "timeout": ["er"] * 3,
        "cancelled": ["er"] * 3, "canceled": ["er"] * 3,
    }.items():  # fmt: skip
        for exit_code, expected in zip((None, 0, 1), flags, strict=True):
            found = Operation(status=status, exit_code=exit_code)
            marks = "e" * found.ended + "s" * found.succeeded + "f" * found.failed
            assert marks + "r" * found.reports_failure == expected.strip()
    codes = {-1: False, 1: True, 128: True, 129: False}  # after a signal, nothing is proven
    assert {code: Operation(exit_code=code).failed for code in codes} == codes
