"""A session over real connections. Faults are in test_faults.py, TLS is in test_trust.py."""

from __future__ import annotations

from lib.clock import Deadline
from lib.transport import Transport, open_session
from tests.conftest import Play
from tests.integration.job import KEY
from tests.unit.fake_clock import FakeClock


def test_an_answer_has_its_status_its_body_and_its_wait(fake_api: Play) -> None:
    """A status that is not success is an answer as well; the header is read."""
    api = fake_api("rate-limit-exceeded")
    transport = Transport(api.url, open_session(KEY, None))
    body = {
        "server_id": "11111111-2222-4333-8444-555555555555",
        "credential_id": "66666666-7777-4888-9999-000000000000",
        "run_context": dict.fromkeys(
            ["provider", "repository", "workflow", "trigger", "actor"], ""
        ),
    }
    path = "/api/automation/v1/registry-auth/login"
    answer = transport.send("POST", path, Deadline(FakeClock(), 60), body)
    assert answer.status == 429
    assert answer.content == {"detail": "Rate limit exceeded for this key"}
    assert answer.retry_after == 7200
    assert api.requests[0].body == body
    assert api.requests[0].headers["Authorization"] == f"Bearer {KEY}"
