"""The audit of the vendored lock: red on a finding, and not done without an answer."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug import Request, Response

if TYPE_CHECKING:
    from pytest_httpserver import HTTPServer

ROOT = Path(__file__).resolve().parents[2]
PINS = [
    line.partition(" ")[0].split("==")
    for line in (ROOT / "tools" / "vendored.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
]
PATH = "/v1/querybatch"


def audit(url: str) -> tuple[int, str, str]:
    """Run the tool against a service, and give exit code, stdout and stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.audit", "--url", url],
        cwd=ROOT,
        env={"PATH": "", "PYTHONDONTWRITEBYTECODE": "1", "NO_PROXY": "*"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout, done.stderr


def result_for(package: str, result: dict[str, Any]) -> dict[str, Any]:
    """Give the service's answer where it knows something about one package."""
    return {"results": [result if name == package else {} for name, _ in PINS]}


def test_every_pin_of_the_lock_is_asked_about(httpserver: HTTPServer) -> None:
    """One request has the name and the version of each, and is green if nothing is known."""
    asked: list[dict[str, Any]] = []

    def answer(request: Request) -> Response:
        asked.append(request.get_json())
        return Response(json.dumps(result_for("none", {})))

    httpserver.expect_oneshot_request(PATH, method="POST").respond_with_handler(answer)

    code, output, error = audit(httpserver.url_for(PATH))

    assert (code, error) == (0, "")
    assert output == f"audit: {len(PINS)} vendored packages, 0 of them known to be vulnerable\n"
    [body] = asked
    queries = body["queries"]
    assert [[query["package"]["name"], query["version"]] for query in queries] == PINS
    assert {query["package"]["ecosystem"] for query in queries} == {"PyPI"}


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ({"vulns": [{"id": "GHSA-1"}, {"id": "PYSEC-2"}]}, "GHSA-1, PYSEC-2"),
        ({"next_page_token": "abc"}, "more, on a further page"),
    ],
    ids=["named", "on-a-further-page"],
)
def test_a_finding_fails_and_is_named(
    httpserver: HTTPServer, result: dict[str, Any], said: str
) -> None:
    """A known vulnerability is red, and says which package, version and advisory."""
    httpserver.expect_request(PATH).respond_with_json(result_for("urllib3", result))

    code, output, error = audit(httpserver.url_for(PATH))

    version = dict(PINS)["urllib3"]
    assert code == 1
    assert error == f"audit: urllib3 {version} is vulnerable: {said}\n"
    assert "1 of them known" in output


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (503, "busy"),
        (403, "<html>a proxy</html>"),
        (200, "<html>a login page</html>"),
        (200, '{"results": []}'),
        (200, '{"code": 3}'),
        (200, '{"results": ["text"]}'),
        (200, "[]"),
    ],
)
def test_what_is_no_answer_is_no_finding(httpserver: HTTPServer, status: int, body: str) -> None:
    """An error, a foreign page and a broken answer are said in one line, and are not red."""
    httpserver.expect_request(PATH).respond_with_data(body, status)

    code, output, error = audit(httpserver.url_for(PATH))

    assert (code, error) == (0, "")
    assert output.startswith("audit: NOT DONE, ")
    assert output.count("\n") == 1


def test_an_unreachable_service_is_no_finding() -> None:
    """Without a network the audit is not done, says so in one line, and is not red."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    code, output, error = audit(f"http://127.0.0.1:{port}{PATH}")

    assert (code, error) == (0, "")
    assert output.startswith("audit: NOT DONE, ")
    assert f"127.0.0.1:{port}" in output
    assert output.count("\n") == 1
