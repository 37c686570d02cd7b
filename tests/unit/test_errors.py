"""Tests of lib.errors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lib.errors import RETRYABLE_STATUSES, ActionError, ApiError, StatusError, TransportError
from lib.hints import Hint

HINT = Hint("Fix it.", "anchor")


@pytest.mark.parametrize(("fields", "message"), [
    ({}, "Failed. Fix it."), ({"detail": "why"}, "Failed: why. Fix it."),
    ({"detail": "why. ."}, "Failed: why. Fix it."), ({"detail": ". "}, "Failed. Fix it."),
    ({"attempts": 5, "detail": "why"}, "Failed (5 attempts): why. Fix it."),
    ({"operation_id": "op-1"}, "Failed. Fix it. (operation op-1)"),
    ({"operation_id": "op-1", "operation_label": "x"}, "Failed. Fix it. (x op-1)"),
])  # fmt: skip
def test_message_has_one_sentence_per_part(fields: dict[str, Any], message: str) -> None:
    assert str(TransportError("Failed", hint=HINT, **fields)) == message


def test_only_the_detail_is_foreign() -> None:
    error = ActionError("failed", hint=Hint("fix it.", ""), detail="why", operation_id="op")
    assert error.message(str.upper) == "failed: WHY. fix it. (operation op)"
    assert "why" not in repr(error)


def test_retryable_statuses_are_the_transient_ones() -> None:
    cloudflare = {520, 521, 522, 523, 524, 527, 530}
    assert {408, 425, 429, 500, 502, 503, 504} | cloudflare == RETRYABLE_STATUSES


@pytest.mark.parametrize(("status", "retry_after", "is_throttled"), [
    (429, None, True), (429, 3.0, True), (503, 0.0, True), (503, 3.0, True),
    (503, None, False), (502, 3.0, False), (430, 3.0, False),
])  # fmt: skip
def test_throttling_is_429_or_503_with_retry_after(
    status: int, retry_after: float | None, *, is_throttled: bool
) -> None:
    error = StatusError("Failed", hint=HINT, status=status, retry_after=retry_after)
    assert error.is_throttled is is_throttled


def test_api_error_assumes_the_worst_by_default() -> None:
    error = ApiError("Failed", hint=HINT)
    assert (error.retryable, error.maybe_processed, error.attempts) == (False, True, 1)
    assert not error.is_throttled
    assert StatusError("Failed", hint=HINT, status=503).retry_after is None


def test_replaced_error_is_new_and_of_the_same_type() -> None:
    error = StatusError("Failed", hint=HINT, status=503)
    changed = replace(error, attempts=3)
    assert (type(changed), changed.status, changed.attempts) == (StatusError, 503, 3)
    assert error.attempts == 1
