"""The whole log of main and post for each failure, compared with tests/snapshots.

`pytest tests/integration/test_snapshots.py --update-snapshots` writes the files anew.
"""

from __future__ import annotations

import json
import re
import signal
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.integration.conftest import MakeJob
from tests.integration.sockets import CLOSED_PORT, DONE, LOGIN, RUNNING, Answer, Server
from tests.variables import KEY, PASSTHROUGH

SNAPSHOTS = Path(__file__).resolve().parents[1] / "snapshots"

_VOLATILE = {
    r"127\.0\.0\.1:\d+": "127.0.0.1:PORT",
    r"\b\d+\.\d s\b": "N s",
    r"after 1[345] s": "after 15 s",
    r"^::add-mask::.*$": "::add-mask::***",
}


class Scenario(NamedTuple):
    """What the API responds, and how the step is set up."""

    answers: Mapping[str, Sequence[Answer]] = {}  # in turn, by the last segment of the path
    variables: Mapping[str, Any] = {}  # more of the environment
    scripts: Sequence[str] = ("serve",)
    is_https: bool = False
    post: Mapping[str, Any] = {}  # more of the environment of post
    breaks_state: bool = False  # the disk is full from the login's response to the end of main


def login(*answers: Answer) -> Scenario:
    return Scenario({"login": answers})


def rejected(status: int, detail: object) -> Scenario:
    return login(Answer(status, {"detail": detail}))


def operation(**fields: Any) -> Scenario:
    return Scenario({"op-1": [Answer(body={**RUNNING, **fields})]})


def docker(stderr: str, exit_code: int = 1) -> Scenario:
    return operation(status="failed", result={"exit_code": exit_code, "stderr": stderr})


def logout(*answers: Answer, **fields: Any) -> Scenario:
    return Scenario({"logout": answers, "op-2": [Answer(body={**DONE, **fields})]})


def state(**fields: Any) -> Scenario:
    return Scenario(post={"STATE_login": json.dumps({"version": 2, **fields})})


def inputs(**values: Any) -> Scenario:
    return Scenario(variables={f"INPUT_{name.upper()}": value for name, value in values.items()})


PAGE = b"<html><title>Sign in</title></html>"
DAEMON = 'Error response from daemon: Get "https://ghcr.io/v2/": '
ACCEPTED = Answer(202, LOGIN)
FAILED = {**RUNNING, "status": "failed", "result": {"exit_code": 1}}
NOT_ERASED = {"exit_code": 0, "stderr": "WARNING: could not erase credentials: no such key"}

SCENARIOS = {
    "success": Scenario(),
    "success-passthrough": Scenario(variables=PASSTHROUGH),
    "success-cleanup-false": inputs(cleanup="false"),
    "success-after-retries": login(
        Answer(502), Answer(429, headers={"Retry-After": "12"}), ACCEPTED
    ),
    "input-api-key-missing": inputs(api_key=""),
    "input-api-key-of-github": inputs(api_key="ghp_0123456789abcdef"),
    "input-api-key-of-wrong-kind": inputs(api_key="rk_t_0123456789abcdef"),
    "input-api-key-with-space": inputs(api_key="rca_0123 4567"),
    "input-server-id-invalid": inputs(server_id="build-1"),
    "input-credential-missing": inputs(credential_id=""),
    "input-passthrough-incomplete": inputs(credential_id="", username="octocat"),
    "input-passthrough-nearly-complete": Scenario(variables={**PASSTHROUGH, "INPUT_USERNAME": ""}),
    "input-both-modes": inputs(username="octocat", access_token="ghp_1", registry_url="ghcr.io"),
    "input-registry-url-invalid": Scenario(
        variables={**PASSTHROUGH, "INPUT_REGISTRY_URL": "ghcr.io/${{x}}"}
    ),
    "input-cleanup-invalid": inputs(cleanup="yes"),
    "input-timeout-invalid": inputs(timeout="5m"),
    "input-api-url-plain-http": inputs(api_url="http://api.reoclo.com"),
    "input-api-url-with-path": inputs(api_url="https://api.reoclo.com/api/automation/v1"),
    "status-400": rejected(400, "Malformed request"),
    "status-401": rejected(401, "Invalid or revoked API key"),
    "status-403": rejected(403, "Credential not in scope for this key"),
    "status-403-firewall": login(Answer(403, PAGE, {"CF-Ray": "8c1f0a2b3c4d5e6f-FRA"})),
    "status-404": rejected(404, "Server not found"),
    "status-409": rejected(409, "The server's runner agent is offline"),
    "status-422": rejected(422, [{"loc": ["body", "server_id"], "msg": "Input should be a UUID"}]),
    "status-429": login(Answer(429, {"detail": "Slow down"}, {"Retry-After": "7200"})),
    "status-502": login(Answer(502, PAGE)),
    "redirect": login(Answer(307, headers={"Location": "https://elsewhere.example/"})),
    "unreachable": inputs(api_url=f"http://127.0.0.1:{CLOSED_PORT}"),
    "dns-lookup-failed": inputs(api_url="https://reoclo.invalid"),
    "certificate-untrusted": Scenario(scripts=["tls serve"], is_https=True),
    "tls-missing": Scenario(scripts=["hello plain fin"], is_https=True),
    "response-lost": Scenario(scripts=["request rst"]),
    "response-lost-passthrough": Scenario(
        variables=PASSTHROUGH, scripts=[*["request rst"] * 5, "serve"]
    ),
    "unexpected-response": login(Answer(body=PAGE)),
    "unexpected-response-is-a-list": login(Answer(body=[])),
    "unexpected-response-too-large": login(Answer(body=b" " * 4200000)),
    "docker-daemon": docker("Cannot connect to the Docker daemon at unix:///var/run/docker.sock."),
    "docker-permission": docker("permission denied while trying to connect to the Docker daemon"),
    "docker-config": docker("Error saving credentials: open /root/.docker: permission denied"),
    "registry-dns": docker(f"{DAEMON}dial tcp: lookup ghcr.io: no such host"),
    "registry-certificate": docker(f"{DAEMON}x509: certificate signed by unknown authority"),
    "registry-rate-limit": docker(f"{DAEMON}toomanyrequests: too many logins"),
    "registry-unauthorized": docker(f"{DAEMON}unauthorized: authentication required"),
    "registry-denied": docker(f"{DAEMON}denied: denied"),
    "docker-failed": docker("docker: command not found", 127),
    "operation-vanished": Scenario(
        {"op-1": [Answer(body=RUNNING), Answer(404, {"detail": "Gone"}), Answer(body=DONE)]}
    ),
    "operation-of-another-id": operation(operation_id="op-9"),
    "operation-403": Scenario({"op-1": [Answer(403, {"detail": "Server not allowed"})]}),
    "operation-fails-after-main": Scenario(
        {"op-1": [Answer(body=RUNNING), Answer(404, {"detail": "Gone"}), Answer(body=FAILED)]}
    ),
    "server-timeout": operation(status="timeout"),
    "no-result": operation(status="completed"),
    "timeout": Scenario({"op-1": [Answer(body=RUNNING)]}, {"INPUT_TIMEOUT": "20"}),
    "canceled": login(Answer(202, LOGIN, before=lambda: signal.raise_signal(signal.SIGTERM))),
    "logout-accepted-without-operation": logout(Answer(204)),
    "logout-403": logout(Answer(403, {"detail": "Operation registry_logout not allowed"})),
    "logout-503": logout(Answer(503, {"detail": "maintenance"})),
    "logout-500": logout(Answer(500, {"detail": "database is down"})),
    "logout-html": logout(Answer(body=PAGE)),
    "logout-not-erased": logout(result=NOT_ERASED),
    "logout-failed-on-the-server": logout(
        status="failed", result={"exit_code": 1}, operation_id="op-2"
    ),
    "logout-completed": logout(Answer(body={"operation_id": "op-2", "status": "completed"})),
    "state-unwritable": Scenario(variables={"GITHUB_STATE": "/nowhere/state"}),
    "state-unwritable-after-login": Scenario(breaks_state=True),
    "state-unwritable-cleanup-false": inputs(cleanup="false")._replace(breaks_state=True),
    "state-damaged": Scenario(post={"STATE_login": '{"version": 1}'}),
    "state-of-wrong-type": state(stage="requested", pid="7"),
    "state-with-wrong-id": state(stage="requested", server_id="build-1"),
    "post-without-api-key": Scenario(post={"INPUT_API_KEY": ""}),
    "internal-error": inputs(timeout=7),  # no text, which no runner sets
    "internal-error-in-post": Scenario(post={"GITHUB_SHA": b"no text either"}),
}


def fill_disk(state: Path) -> None:
    """Replace the state file by one on a full disk."""
    state.rename(state.with_name("before"))
    state.symlink_to("/dev/full")


def play(scenario: Scenario, make_job: MakeJob, server_tls: ssl.SSLContext) -> str:
    """Run main and post, and return both logs as they are compared."""
    tls = server_tls if scenario.is_https else None
    with Server(*scenario.scripts, tls=tls, answers=scenario.answers) as api:
        job = make_job(api.url, **scenario.variables)
        if scenario.breaks_state:
            api.answers["login"] = [ACCEPTED._replace(before=lambda: fill_disk(job.state))]
        main = job.main()
        if scenario.breaks_state:
            job.state.with_name("before").replace(job.state)
        post = job.post(**scenario.post)
    lines = [f"--- main: exit code {main.code}", *main.log]
    lines += [f"--- post: exit code {post.code}", *post.log]
    text = "\n".join(lines) + "\n"
    for pattern, replacement in _VOLATILE.items():
        text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
    return text


@pytest.mark.parametrize("name", SCENARIOS)
def test_log_equals_snapshot(
    name: str, make_job: MakeJob, server_tls: ssl.SSLContext, request: pytest.FixtureRequest
) -> None:
    log, path = play(SCENARIOS[name], make_job, server_tls), SNAPSHOTS / f"{name}.txt"
    if request.config.getoption("--update-snapshots", default=False):
        path.write_text(log, "utf-8")
    assert log == path.read_text("utf-8")
    assert KEY not in log
    annotations = [line for line in log.splitlines() if line.startswith(("::error", "::warning"))]
    assert all(len(annotation) < 500 for annotation in annotations)


def test_each_snapshot_has_a_scenario() -> None:
    assert {path.stem for path in SNAPSHOTS.glob("*.txt")} == {*SCENARIOS}
