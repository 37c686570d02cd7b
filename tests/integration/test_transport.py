"""A session over real connections; what a network can do to one is in test_faults.py."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.clock import Deadline
from lib.errors import Unreachable
from lib.transport import Transport, open_session
from tests.conftest import Play
from tests.integration.job import KEY
from tests.unit.fake_clock import FakeClock


@pytest.fixture
def self_signed(tmp_path: Path) -> Iterator[str]:
    """Serve https with a certificate that nobody trusts; give the address."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
         "-subj", "/CN=localhost", "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            try:
                connection, _ = listener.accept()
                with context.wrap_socket(connection, server_side=True):
                    pass
            except OSError:
                return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(10)


def test_a_certificate_that_nobody_trusts_is_final(self_signed: str) -> None:
    """The key is not sent, no other try is made, and the error names the remedy."""
    session = open_session(self_signed, KEY)
    session.trust_env = False
    with pytest.raises(Unreachable) as caught:
        Transport(self_signed, session).send("GET", "/", Deadline(FakeClock(), 60))
    assert (caught.value.transient, caught.value.lost) == (False, False)
    assert "certificate of the Reoclo API is not trusted: self-signed" in str(caught.value)
    assert "REQUESTS_CA_BUNDLE" in str(caught.value)


def test_an_answer_has_its_status_its_body_and_its_wait(fake_api: Play) -> None:
    """A status that is not success is an answer as well; the header is read."""
    api = fake_api("rate-limit-exceeded")
    transport = Transport(api.url, open_session(api.url, KEY))
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
    assert answer.json() == {"detail": "Rate limit exceeded for this key"}
    assert answer.retry_after == 7200
    assert api.requests[0].body == body
    assert api.requests[0].headers["Authorization"] == f"Bearer {KEY}"
