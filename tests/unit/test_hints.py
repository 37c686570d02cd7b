"""Tests of lib.hints."""

from __future__ import annotations

import pytest

from lib import hints
from lib.hints import Hint


@pytest.mark.parametrize(("anchor", "statuses"), [
    ("redirect", [300, 302, 399]), ("400", [400, 402, 405, 418, 499]), ("401", [401]),
    ("403", [403]), ("404", [404]), ("409", [409]), ("422", [422]), ("429", [429]),
    ("5xx", [100, 199, 299, 408, 425, 500, 503, 599]),
])  # fmt: skip
def test_status_has_its_hint(anchor: str, statuses: list[int]) -> None:
    for status in statuses:
        text, found = hints.for_status(status, requires="THE SCOPES", ids="THE IDS")
        assert (found, text[-1], "{" in text) == (anchor, ".", False)
        assert ("THE SCOPES" in text) is (status == 403)
        assert ("THE IDS" in text) is (status in {404, 422})


@pytest.mark.parametrize(("output", "anchor"), [
    ("Cannot connect to the Docker daemon at unix:///var/run/docker.sock", "docker-daemon"),
    ("permission denied while trying to connect to the Docker API", "docker-permission"),
    ("Error saving credentials: open /root/.docker: permission denied", "docker-config"),
    ("dial tcp: lookup ghcr.example: no such host", "registry-dns"),
    ("tls: failed to verify certificate: x509: unknown authority", "registry-certificate"),
    ("toomanyrequests: Rate exceeded", "registry-rate-limit"),
    ("Error: unauthorized: authentication required", "registry-unauthorized"),
    ("denied: requested access to the resource is denied", "registry-denied"),
    ("denied; cannot connect to the docker daemon", "docker-daemon"),
    ("something else", "docker-failed"),
    ("", "docker-failed"),
])  # fmt: skip
def test_docker_output_has_its_hint(output: str, anchor: str) -> None:
    hint = hints.for_docker_output(output, "THE CREDENTIAL")
    assert (hint.anchor, hint.text[-1], "{" in hint.text) == (anchor, ".", False)
    names = {"registry-dns", "registry-unauthorized", "registry-denied", "docker-failed"}
    assert ("THE CREDENTIAL" in hint.text) is (anchor in names)
    assert hints.for_docker_output(output.upper(), "THE CREDENTIAL") == hint


@pytest.mark.parametrize(("message", "fix"), [
    ("certificate has expired", "clock"), ("certificate is not yet valid", "clock"),
    ("A required certificate is not within its validity period", "clock"),
    ("The certificate's CN name does not match the passed value.", "another name"),
    ("Hostname mismatch, certificate is not valid for 'x'", "another name"),
    ("self-signed certificate", "NODE_EXTRA_CA_CERTS"), ("", "NODE_EXTRA_CA_CERTS"),
])  # fmt: skip
def test_certificate_error_has_its_hint(message: str, fix: str) -> None:
    hint = hints.for_certificate_error(message)
    assert (hint.anchor, fix in hint.text) == ("certificate", True)


# docker/cli#7326: `docker logout docker.io` removes nothing.
@pytest.mark.parametrize(("registry_url", "command"), [
    ("ghcr.io", "`docker logout ghcr.io`"), ("docker.io", "`docker logout`"),
    ("", "`docker logout`"),
])  # fmt: skip
def test_logout_command_removes_the_login(registry_url: str, command: str) -> None:
    assert hints.logout_command(registry_url) == command


def test_hint_links_to_its_section() -> None:
    assert Hint("Fix it.", "403").link == f"{hints.TROUBLESHOOTING}#403"
