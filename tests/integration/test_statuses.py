"""Statuses and responses of every kind, from a real server."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import pytest

from lib.errors import InvalidResponse
from tests.integration.conftest import MakeJob
from tests.integration.job import transport_to
from tests.integration.sockets import LOGIN, Answer, Server
from tests.variables import KEY


@pytest.mark.parametrize("status", [101, 103, 199])
def test_1xx_does_not_shift_later_responses(status: int) -> None:
    """The real response to the first request arrives after its 1xx, on the same connection."""
    script = f"request {status} 500 serve"
    with Server(script, "serve") as api, transport_to(api.url) as send:
        with pytest.raises(InvalidResponse) as caught:
            send("POST", "/login")
        assert send("GET", "/op-1").status == 200
    assert caught.value.maybe_processed
    assert api.connections == 2


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_refused_and_the_key_stays(status: int, make_job: MakeJob) -> None:
    with Server("serve") as elsewhere:
        location = {"Location": f"{elsewhere.url}/login"}
        with Server("serve", answers={"login": [Answer(status, headers=location)]}) as api:
            job = make_job(api.url)
            main = job.main()
    assert (main.code, main.anchors, job.stages[-1]) == (1, ["redirect"], "failed")
    assert (api.calls, elsewhere.connections) == (["login"], 0)


def test_long_output_of_docker_is_truncated(make_job: MakeJob) -> None:
    result = {"exit_code": 1, "stdout": "x" * 3 * 1024 * 1024}
    answers = {"op-1": [Answer(body={"status": "failed", "result": result})]}
    with Server("serve", answers=answers) as api:
        main = make_job(api.url).main()
    assert main.anchors == ["docker-failed"]
    assert sum(map(len, main.log)) < 80_000


def test_headers_are_ours_and_netrc_does_not_replace_the_key(
    make_job: MakeJob, tmp_path: Path, server_tls: ssl.SSLContext, ca_file: str
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("default login mallory password netrc-secret\n", "utf-8")
    netrc.chmod(0o600)
    os.environ |= {"HOME": str(tmp_path), "NETRC": str(netrc)}
    with Server("tls serve", tls=server_tls) as api:
        assert make_job(api.url, SSL_CERT_FILE=ca_file).main().code == 0
    for header in (
        f"Authorization: Bearer {KEY}",
        "User-Agent: reoclo-docker-auth/",
        "Accept: app",
    ):
        assert all(header in head for head in api.heads)


def test_key_in_a_response_is_neither_saved_nor_an_output(make_job: MakeJob) -> None:
    login = Answer(202, {**LOGIN, "registry_type": KEY})
    with Server("serve", answers={"login": [login]}) as api:
        job = make_job(api.url)
        main = job.main()
    assert (main.code, job.stages[-1]) == (0, "succeeded")
    files = [job.state, *job.state.parent.glob("docker-auth-*"), job.output]
    assert all(KEY not in file.read_text("utf-8") for file in files)
