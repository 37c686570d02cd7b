"""The audit of the vendored packages fails on a known vulnerability, but not on an outage."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pytest_httpserver import HTTPServer

from tests.runner.checkout import ROOT
from tools.vendor import pins

PATH = "/v1/querybatch"
QUERIES = [{"package": {"name": n, "ecosystem": "PyPI"}, "version": v} for n, v in pins()]
LAST = " ".join(pins()[-1])


def audit(url: str) -> tuple[int, str]:
    """Run the tool against a service, and return its exit code and what it printed."""
    command = [sys.executable, "-B", "-m", "tools.audit", "--url", url]
    env = {"PATH": "", "NO_PROXY": "*"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("result", "code", "printed"),
    [
        ({}, 0, " 0 with known vulnerabilities"),
        ({"vulns": [{"id": "GHSA-1"}]}, 1, f"{LAST} is vulnerable"),
        ({"next_page_token": "abc"}, 1, f"{LAST} is vulnerable"),
    ],
)
def test_known_vulnerability_fails(
    httpserver: HTTPServer, result: object, code: int, printed: str
) -> None:
    response = {"results": [{}] * (len(QUERIES) - 1) + [result]}
    request = httpserver.expect_request(PATH, method="POST", json={"queries": QUERIES})
    request.respond_with_json(response)
    exit_code, output = audit(httpserver.url_for(PATH))
    assert (exit_code, printed in output) == (code, True), output


@pytest.mark.parametrize(
    ("status", "body"), [(503, "busy"), (200, "<html>login</html>"), (200, '{"results": []}')]
)
def test_outage_does_not_fail(httpserver: HTTPServer, status: int, body: str) -> None:
    httpserver.expect_request(PATH).respond_with_data(body, status)
    for url in (httpserver.url_for(PATH), f"http://127.0.0.1:1{PATH}"):
        exit_code, output = audit(url)
        assert (exit_code, output.startswith("audit: skipped")) == (0, True), output
