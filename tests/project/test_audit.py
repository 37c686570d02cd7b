"""The audit of the vendored packages fails on a known vulnerability, but not on an outage."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tools.vendor import pins

if TYPE_CHECKING:
    from pytest_httpserver import HTTPServer

ROOT = Path(__file__).resolve().parents[2]
PATH = "/v1/querybatch"


def audit(url: str) -> subprocess.CompletedProcess[str]:
    """Run the tool against a service."""
    return subprocess.run(
        [sys.executable, "-m", "tools.audit", "--url", url],
        cwd=ROOT,
        env={"PATH": "", "PYTHONDONTWRITEBYTECODE": "1", "NO_PROXY": "*"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def results(package: str, result: dict[str, Any]) -> dict[str, Any]:
    """Return a response that knows something about one package."""
    return {"results": [result if name == package else {} for name, _ in pins()]}


def test_every_locked_package_is_checked(httpserver: HTTPServer) -> None:
    queries = [{"package": {"name": n, "ecosystem": "PyPI"}, "version": v} for n, v in pins()]
    expected = httpserver.expect_oneshot_request(PATH, method="POST", json={"queries": queries})
    expected.respond_with_json(results("", {}))

    assert audit(httpserver.url_for(PATH)).returncode == 0
    httpserver.check_assertions()


@pytest.mark.parametrize("result", [{"vulns": [{"id": "GHSA-1"}]}, {"next_page_token": "abc"}])
def test_known_vulnerability_fails(httpserver: HTTPServer, result: dict[str, Any]) -> None:
    httpserver.expect_request(PATH).respond_with_json(results("urllib3", result))

    done = audit(httpserver.url_for(PATH))

    assert done.returncode == 1
    assert f"urllib3 {dict(pins())['urllib3']}" in done.stderr


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
