"""Statuses and responses of every kind, from a real server."""

from __future__ import annotations

import os
import ssl
import tracemalloc
from pathlib import Path

import pytest

from lib.errors import InvalidResponse, TransportError
from tests.integration.conftest import MakeJob
from tests.integration.job import KEY, transport_to
from tests.integration.sockets import DONE, Answer, Server

MIB = 1024 * 1024


@pytest.mark.parametrize("status", [101, 103, 199])
def test_1xx_does_not_shift_later_responses(status: int) -> None:
    """The real response to the first request arrives after its 1xx, on the same connection."""
    with Server(f"request {status} 500 serve", "serve") as api, transport_to(api.port) as send_to:
        with pytest.raises(InvalidResponse) as caught:
            send_to("POST", "/login")
        assert send_to("GET", "/op-1").status == 200
    assert caught.value.maybe_processed
    assert api.connections == 2


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_refused_and_the_key_stays(status: int, make_job: MakeJob) -> None:
    with Server("serve") as elsewhere:
        location = {"Location": f"http://127.0.0.1:{elsewhere.port}/login"}
        with Server("serve", answers={"login": [Answer(status, headers=location)]}) as api:
            job = make_job(api.port)
            main = job.main()
    assert (main.code, main.anchors, job.stages[-1]) == (1, ["redirect"], "failed")
    assert (api.calls, elsewhere.connections) == (["login"], 0)


def test_netrc_does_not_replace_the_key(
    make_job: MakeJob, tmp_path: Path, server_tls: ssl.SSLContext, ca_file: str
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("default login mallory password netrc-secret\n", "utf-8")
    netrc.chmod(0o600)
    os.environ |= {"HOME": str(tmp_path), "NETRC": str(netrc)}
    with Server("tls serve", tls=server_tls) as api:
        url = f"https://127.0.0.1:{api.port}"
        assert make_job(url, SSL_CERT_FILE=ca_file).main().code == 0
    assert all(f"Authorization: Bearer {KEY}" in head for head in api.heads)


def test_slow_drip_is_bounded_by_the_deadline() -> None:
    answers = {"op-1": [Answer(body=DONE, drip=0.05)]}
    with (
        Server("serve", answers=answers) as api,
        transport_to(api.port) as send_to,
        pytest.raises(TransportError) as caught,
    ):
        send_to("GET", "/op-1", seconds=0.3)
    assert (caught.value.maybe_processed, caught.value.retryable) == (True, True)


@pytest.mark.parametrize(("mib", "anchor"), [(8, "unexpected-response"), (3, "docker-failed")])
def test_large_output_takes_little_memory(mib: int, anchor: str, make_job: MakeJob) -> None:
    body = b'{"status":"failed","result":{"exit_code":1,"stdout":"%s"}}' % (b"x" * mib * MIB)
    with Server("serve", answers={"op-1": [Answer(body=body)]}) as api:
        job = make_job(api.port)
        make_job(1).main()  # imports
        tracemalloc.start()
        try:
            main = job.main()
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert main.anchors == [anchor]
    assert sum(map(len, main.log)) < 80_000
    assert peak < 40 * MIB
