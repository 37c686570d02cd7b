"""Trust: real certificates and TLS."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import trustme

from tests.integration.conftest import MakeJob
from tests.integration.job import Ended
from tests.integration.sockets import Server
from tests.runner.checkout import ROOT

Log = Callable[..., Ended]


@pytest.fixture
def log_in(make_job: MakeJob) -> Log:
    """Return a function that runs main against an API with a certificate."""

    def run(certificate: trustme.LeafCert, *, is_trusted: bool, **variables: str) -> Ended:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        with Server("tls serve", tls=context) as api:
            job = make_job(api.url, **variables)
            main = job.main()
        assert (main.code, bool(api.heads)) == (not is_trusted, is_trusted)
        assert api.connections == 1  # an untrusted certificate is final
        assert main.anchors == ["certificate"] * (not is_trusted)
        assert (job.stages[1] == "failed") is not is_trusted
        return main

    return run


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"])
def test_private_ca_is_trusted_by_variable(
    variable: str, ca: trustme.CA, ca_file: str, log_in: Log
) -> None:
    """The root's certificate is enough, although an intermediate CA issued the server's."""
    certificate = ca.create_child_ca().issue_cert("127.0.0.1")
    log_in(certificate, is_trusted=True, **{variable: ca_file})


def test_folder_of_certificates_is_trusted(ca: trustme.CA, log_in: Log, tmp_path: Path) -> None:
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    subprocess.run(["openssl", "rehash", str(tmp_path)], check=True)
    log_in(ca.issue_cert("127.0.0.1"), is_trusted=True, REQUESTS_CA_BUNDLE=str(tmp_path))


def test_certificate_is_not_trusted_and_the_error_says_why(
    ca: trustme.CA, ca_file: str, log_in: Log
) -> None:
    yesterday = datetime.now(timezone.utc) - timedelta(days=1)
    expired = ca.issue_cert("127.0.0.1", not_after=yesterday)
    for certificate, reason in ((expired, "expired"), (ca.issue_cert("x.example"), "mismatch")):
        [error] = log_in(certificate, is_trusted=False, SSL_CERT_FILE=ca_file).errors
        assert reason in error.lower()


@pytest.mark.parametrize("content", [None, "", "-----BEGIN CERTIFICATE-----\nMII"])
def test_unusable_file_is_skipped_and_logged(
    content: str | None, ca: trustme.CA, ca_file: str, log_in: Log, tmp_path: Path
) -> None:
    path = tmp_path / "bad.pem"
    if content is not None:
        path.write_text(content, "utf-8")
    files = {"SSL_CERT_FILE": ca_file, "REQUESTS_CA_BUNDLE": str(path)}
    os.environ |= files  # where requests would find them, too
    main = log_in(ca.issue_cert("127.0.0.1"), is_trusted=True, **files)
    [line] = [line for line in main.log if ".pem" in line]
    assert "REQUESTS_CA_BUNDLE" in line
    assert str(path) in line


def test_each_step_uses_one_connection(
    make_job: MakeJob, server_tls: ssl.SSLContext, ca_file: str
) -> None:
    with Server("tls serve", tls=server_tls) as api:
        job = make_job(api.url, SSL_CERT_FILE=ca_file)
        job.main()
        assert api.connections == 1
        job.post()
        assert api.connections == 2
    assert api.calls == ["login", "op-1", "logout", "op-2"]


def test_windows_is_not_queried_for_its_name() -> None:
    """In a process of its own, because the change lasts. A query of WMI goes through uname."""
    code = """if True:
        import platform, sys, lib.api.tls
        sys.platform, platform.uname = "win32", lambda: sys.exit("queried")
        try:
            lib.api.tls.create_context({}, print)
        except ImportError:  # truststore's module for Windows
            print(platform.system())"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=-1, check=True)
    assert done.stdout.decode().strip() == "Windows"
