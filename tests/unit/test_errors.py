"""Tests of lib.errors."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lib.errors import (
    RETRYABLE_STATUSES,
    ActionError,
    ApiError,
    InputError,
    StatusError,
    TransportError,
)
from lib.hints import Hint

HINT = Hint("Fix it.", "anchor")


def status_error(status: int, retry_after: float | None = None) -> StatusError:
    return StatusError("Failed", hint=HINT, status=status, retry_after=retry_after)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ActionError("Failed", hint=HINT), "Failed. Fix it."),
        (ActionError("Failed", hint=HINT, detail="why"), "Failed: why. Fix it."),
        (ActionError("Failed", hint=HINT, detail="why. ."), "Failed: why. Fix it."),
        (ActionError("Failed", hint=HINT, detail=". "), "Failed. Fix it."),
        (
            InputError("Failed", hint=HINT, detail="why", operation_id="op-1"),
            "Failed: why. Fix it. (operation op-1)",
        ),
        (
            InputError("Failed", hint=HINT, operation_id="op-1", operation_label="login operation"),
            "Failed. Fix it. (login operation op-1)",
        ),
        (ApiError("Failed", hint=HINT, attempts=1), "Failed. Fix it."),
        (
            TransportError("Failed", hint=HINT, detail="why", attempts=5),
            "Failed (5 attempts): why. Fix it.",
        ),
    ],
)
def test_message_has_one_sentence_per_part(error: ActionError, message: str) -> None:
    assert str(error) == message


def test_only_the_detail_is_excerpted() -> None:
    error = ActionError("failed", hint=Hint("fix it.", ""), detail="why", operation_id="op")
    assert error.message(str.upper) == "failed: WHY. fix it. (operation op)"


def test_detail_is_not_in_the_repr() -> None:
    assert "foreign" not in repr(ActionError("Failed", hint=HINT, detail="foreign"))


def test_retryable_statuses_are_the_transient_ones() -> None:
    found = [status for status in range(100, 1000) if status in RETRYABLE_STATUSES]
    cloudflare = [520, 521, 522, 523, 524, 527, 530]
    assert found == [408, 425, 429, 500, 502, 503, 504, *cloudflare]


@pytest.mark.parametrize(
    ("status", "retry_after", "is_throttled"),
    [
        (429, None, True),
        (429, 3.0, True),
        (503, 0.0, True),
        (503, 3.0, True),
        (503, None, False),
        (502, 3.0, False),
        (430, 3.0, False),
    ],
)
def test_throttling_is_429_or_503_with_retry_after(
    status: int, retry_after: float | None, *, is_throttled: bool
) -> None:
    assert status_error(status, retry_after).is_throttled is is_throttled


def test_api_error_assumes_the_worst_by_default() -> None:
    error = ApiError("Failed", hint=HINT)
    found = (error.retryable, error.maybe_processed, error.attempts, error.is_throttled)
    assert found == (False, True, 1, False)
    assert status_error(503).retry_after is None


def test_replaced_error_keeps_its_type_and_the_original() -> None:
    error = status_error(503, 2.0)
    changed = replace(error, attempts=3)
    assert (type(changed), changed.status, changed.attempts) == (StatusError, 503, 3)
    assert error.attempts == 1
