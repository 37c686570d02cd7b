"""The audit of the vendored packages fails on a known vulnerability, but not on an outage."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tools.vendor import pins

if TYPE_CHECKING:
    from pytest_httpserver import HTTPServer

ROOT = Path(__file__).resolve().parents[2]
PATH = "/v1/querybatch"
QUERIES = [{"package": {"name": n, "ecosystem": "PyPI"}, "version": v} for n, v in pins()]


def audit(url: str) -> subprocess.CompletedProcess[str]:
    """Run the tool against a service."""
    command = [sys.executable, "-B", "-m", "tools.audit", "--url", url]
    env = {"PATH": "", "NO_PROXY": "*"}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("result", "code"),
    [({}, 0), ({"vulns": [{"id": "GHSA-1"}]}, 1), ({"next_page_token": "abc"}, 1)],
)
def test_known_vulnerability_fails(
    httpserver: HTTPServer, result: dict[str, object], code: int
) -> None:
    request = httpserver.expect_request(PATH, method="POST", json={"queries": QUERIES})
    request.respond_with_json({"results": [{}] * (len(QUERIES) - 1) + [result]})
    done = audit(httpserver.url_for(PATH))
    assert done.returncode == code
    assert bool(code) == (" ".join(pins()[-1]) in done.stderr)
    httpserver.check_assertions()


@pytest.mark.parametrize(
    ("status", "body"),
    [(503, "busy"), (200, "<html>login</html>"), (200, '{"results": []}'), (200, "[]")],
)
def test_unusable_response_does_not_fail(httpserver: HTTPServer, status: int, body: str) -> None:
    httpserver.expect_request(PATH).respond_with_data(body, status)
    done = audit(httpserver.url_for(PATH))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("audit: skipped")


def test_unreachable_service_does_not_fail() -> None:
    assert audit(f"http://127.0.0.1:1{PATH}").returncode == 0
