"""What the user is told to do about each failure."""

from __future__ import annotations

import pytest

from lib import advice


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        (401, "revoked"),
        (403, "IP allowlist"),
        (404, "dashboard"),
        (408, "Run the job again"),
        (409, "runner agent is online"),
        (422, "Correct the input"),
        (425, "Run the job again"),
        (429, "rate limit"),
        (302, "Check api_url"),
        (418, "Check that api_url"),
        (500, "in a few minutes"),
        (503, "in a few minutes"),
    ],
)
def test_every_status_has_its_remedy(status: int, remedy: str) -> None:
    """A status tells what to do about it, in whole sentences."""
    meaning, told = advice.on_status(status)
    assert remedy in told
    assert told.endswith(".")
    assert meaning


@pytest.mark.parametrize(
    ("output", "remedy"),
    [
        ("Error: unauthorized: authentication required", "user name and password"),
        (
            "denied: requested access to the resource is denied",
            "has expired, or lacks the right to this registry",
        ),
        (
            "tls: failed to verify certificate: x509: signed by unknown authority",
            "the registry's CA",
        ),
        ("dial tcp: lookup ghcr.example: no such host", "DNS"),
        ("toomanyrequests: Rate exceeded", "log in less often"),
        ("Cannot connect to the Docker daemon at unix:///var/run/docker.sock", "Start docker"),
        ("", "Docker's own words"),
        ("something else", "Docker's own words"),
    ],
)
def test_dockers_words_have_their_remedy(output: str, remedy: str) -> None:
    """What docker said is recognized whatever its case; the rest points at the log."""
    assert remedy in advice.on_docker(output)
    assert advice.on_docker(output.upper()) == advice.on_docker(output)


def test_the_cause_is_preferred_to_its_consequence() -> None:
    """A daemon that is down is named before the access that is denied for it."""
    told = advice.on_docker("denied; cannot connect to the docker daemon")
    assert told.startswith("Start docker")


@pytest.mark.parametrize(
    ("complaint", "remedy"),
    [
        ("certificate has expired", "clock"),
        ("certificate is not yet valid", "clock"),
        ("A required certificate is not within its validity period", "clock"),
        ("The certificate's CN name does not match the passed value.", "another name"),
        ("certificate name does not match input", "another name"),
        ("Hostname mismatch, certificate is not valid for 'x'", "another name"),
        ("unable to get local issuer certificate", "NODE_EXTRA_CA_CERTS"),
        ("self-signed certificate", "SSL_CERT_FILE"),
    ],
)
def test_a_certificate_has_its_remedy(complaint: str, remedy: str) -> None:
    """An old one, one for another name and one that nobody vouches for are told apart."""
    assert remedy in advice.on_certificate(complaint)


@pytest.mark.parametrize(
    ("registry_url", "command"),
    [
        ("ghcr.io", "`docker logout ghcr.io` on that server"),
        # docker/cli#7326: with this address it removes nothing.
        ("docker.io", "`docker logout` (for Docker Hub without an address) on that server"),
        ("", "`docker logout` with its registry on that server"),
    ],
)
def test_what_to_run_by_hand_takes_the_login_away(registry_url: str, command: str) -> None:
    """Docker keeps logins per user, and that of Docker Hub under a name of its own."""
    told = advice.logout_by_hand(registry_url)

    assert command in told
    assert "as the user of Reoclo's runner agent" in told
