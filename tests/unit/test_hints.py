"""Tests of lib.hints."""

from __future__ import annotations

import pytest

from lib import hints
from lib.hints import Hint


@pytest.mark.parametrize(
    ("status", "anchor"),
    [
        (100, "5xx"), (199, "5xx"), (299, "5xx"), (300, "redirect"), (302, "redirect"),
        (399, "redirect"), (400, "400"), (401, "401"), (402, "400"), (403, "403"), (404, "404"),
        (405, "400"), (408, "5xx"), (409, "409"), (418, "400"), (422, "422"), (425, "5xx"),
        (429, "429"), (499, "400"), (500, "5xx"), (503, "5xx"), (599, "5xx"),
    ],
)  # fmt: skip
def test_status_has_its_hint(status: int, anchor: str) -> None:
    hint = hints.for_status(status, requires="THE SCOPES", ids="THE IDS")
    assert hint.anchor == anchor
    assert hint.text.endswith(".")
    assert "{" not in hint.text
    assert ("THE SCOPES" in hint.text) is (status == 403)
    assert ("THE IDS" in hint.text) is (status in {404, 422})


@pytest.mark.parametrize(
    ("output", "anchor"),
    [
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
    ],
)
def test_docker_output_has_its_hint(output: str, anchor: str) -> None:
    hint = hints.for_docker_output(output, "THE CREDENTIAL")
    assert hint.anchor == anchor
    assert hint.text.endswith(".")
    assert "{" not in hint.text
    uses_credential = {"registry-dns", "registry-unauthorized", "registry-denied", "docker-failed"}
    assert ("THE CREDENTIAL" in hint.text) is (anchor in uses_credential)
    assert hints.for_docker_output(output.upper(), "THE CREDENTIAL") == hint


@pytest.mark.parametrize(
    ("message", "fix"),
    [
        ("certificate has expired", "clock"),
        ("certificate is not yet valid", "clock"),
        ("A required certificate is not within its validity period", "clock"),
        ("The certificate's CN name does not match the passed value.", "another name"),
        ("Hostname mismatch, certificate is not valid for 'x'", "another name"),
        ("unable to get local issuer certificate", "NODE_EXTRA_CA_CERTS"),
        ("self-signed certificate", "NODE_EXTRA_CA_CERTS"),
    ],
)
def test_certificate_error_has_its_hint(message: str, fix: str) -> None:
    hint = hints.for_certificate_error(message)
    assert hint.anchor == "certificate"
    assert fix in hint.text


@pytest.mark.parametrize(
    ("registry_url", "command"),
    [
        ("ghcr.io", "`docker logout ghcr.io`"),
        # docker/cli#7326: with this address the command removes nothing.
        ("docker.io", "`docker logout`"),
        ("", "`docker logout`"),
    ],
)
def test_logout_command_removes_the_login(registry_url: str, command: str) -> None:
    assert hints.logout_command(registry_url) == command


def test_hint_links_to_its_section() -> None:
    assert Hint("Fix it.", "403").link == f"{hints.TROUBLESHOOTING}#403"
