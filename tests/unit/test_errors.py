"""How errors are told."""

from __future__ import annotations

import pytest

from lib.errors import ActionError, ProtocolError, Refusal, Unreachable


def refusal(status: int, retry_after: float | None = None) -> Refusal:
    """Make a refusal."""
    return Refusal("It said no", status=status, said="", remedy="Ask.", retry_after=retry_after)


def test_an_error_is_told_in_order() -> None:
    """What happened, whose words, what to do, which operation: in this order."""
    error = ActionError("It broke", said="no such thing.", remedy="Mend it.", operation_id="op-1")
    assert str(error) == "It broke: no such thing. Mend it. (Operation op-1.)"


def test_an_error_leaves_out_what_it_has_not() -> None:
    """Without words and operation there are no empty places."""
    assert str(ActionError("It broke", remedy="Mend it.")) == "It broke. Mend it."


def test_attempts_are_told_where_there_were_several() -> None:
    """One attempt goes without saying; more are told."""
    error = Unreachable("Nobody home", remedy="Ring.", transient=True, lost=True)
    assert str(error) == "Nobody home. Ring."
    error.attempts = 5
    assert str(error) == "Nobody home. Ring. (Tried 5 times.)"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_passing_faults_are_transient(status: int) -> None:
    """These statuses may be gone at the next try."""
    assert refusal(status).transient


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 409, 422, 501])
def test_all_other_statuses_are_final(status: int) -> None:
    """Another try cannot help here."""
    assert not refusal(status).transient


@pytest.mark.parametrize(
    ("status", "lost"), [(302, False), (403, False), (429, False), (502, True)]
)
def test_a_refusal_of_the_gateway_may_hide_a_login(status: int, *, lost: bool) -> None:
    """Behind a server's error the request may have been obeyed; behind the others not."""
    assert refusal(status).lost is lost


@pytest.mark.parametrize(
    ("status", "retry_after", "patient"),
    [(429, None, True), (429, 3.0, True), (503, 0.0, True), (503, None, False), (502, 3.0, False)],
)
def test_a_busy_api_asks_for_patience(
    status: int, retry_after: float | None, *, patient: bool
) -> None:
    """A rate limit is patience asked for, and so is a 503 that says when to come back."""
    assert refusal(status, retry_after).asks_for_patience is patient


def test_an_answer_that_is_not_the_apis_may_hide_a_login() -> None:
    """It is final, may have been a login, and names api_url."""
    error = ProtocolError("a JSON object")
    assert (error.transient, error.lost) == (False, True)
    assert "expected a JSON object. Check that api_url" in str(error)
