"""Whom the action trusts: real certificates, real TLS."""

from __future__ import annotations

import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import trustme

from tests.fake_api import FakeApi, recording
from tests.integration.conftest import MakeJob
from tests.runner.checkout import ROOT

CA_VARIABLES = ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"]
HOST = "127.0.0.1"


@pytest.fixture(scope="module")
def private_ca() -> trustme.CA:
    """Make a CA that only this test knows."""
    return trustme.CA()


@contextmanager
def https(certificate: trustme.LeafCert | trustme.CA, *names: str) -> Iterator[FakeApi]:
    """Start an API that shows a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if isinstance(certificate, trustme.CA):
        pem = certificate.private_key_pem.bytes() + certificate.cert_pem.bytes()
        with trustme.Blob(pem).tempfile() as path:
            context.load_cert_chain(path)
    else:
        certificate.configure_cert(context)
    with FakeApi([recording.load(name) for name in names], tls=context) as api:
        yield api


def written(ca: trustme.CA, folder: Path) -> Path:
    """Write a CA's certificate to a file."""
    path = folder / "ca.pem"
    ca.cert_pem.write_to_path(path)
    return path


@pytest.mark.parametrize("variable", CA_VARIABLES)
def test_a_private_ca_is_trusted_by_each_of_the_variables(
    private_ca: trustme.CA, make_job: MakeJob, tmp_path: Path, variable: str
) -> None:
    """A CA of one's own in a file that any of the variables names is enough."""
    with https(private_ca.issue_cert(HOST), "ghcr") as api:
        job = make_job(api.url, **{variable: str(written(private_ca, tmp_path))})
        main = job.main()
        post = job.post()

    assert (main.code, main.annotations("error")) == (0, [])
    assert post.annotations("warning") == []
    api.verify()


def test_a_folder_of_certificates_is_trusted(
    private_ca: trustme.CA, make_job: MakeJob, tmp_path: Path
) -> None:
    """A variable may name a folder, in the form that OpenSSL's rehash gives it."""
    folder = tmp_path / "certificates"
    folder.mkdir()
    path = written(private_ca, tmp_path)
    subject = ssl_subject_hash(path)
    path.rename(folder / f"{subject}.0")
    with https(private_ca.issue_cert(HOST), "login-only") as api:
        assert make_job(api.url, REQUESTS_CA_BUNDLE=str(folder)).main().code == 0


def ssl_subject_hash(path: Path) -> str:
    """Give the name that OpenSSL looks for in a folder."""
    command = ["openssl", "x509", "-hash", "-noout", "-in", str(path)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_an_intermediate_ca_is_followed_to_its_root(
    private_ca: trustme.CA, make_job: MakeJob, tmp_path: Path
) -> None:
    """The server shows the intermediate certificate; the root alone is in the file."""
    certificate = private_ca.create_child_ca().issue_cert(HOST)
    with https(certificate, "login-only") as api:
        path = written(private_ca, tmp_path)
        assert make_job(api.url, SSL_CERT_FILE=str(path)).main().code == 0


def test_without_a_variable_a_private_ca_is_not_trusted(
    private_ca: trustme.CA, make_job: MakeJob
) -> None:
    """The error is final, names the reason and what to do, and no key was sent."""
    with https(private_ca.issue_cert(HOST)) as api:
        main = make_job(api.url).main()

    [error] = main.annotations("error")
    assert main.code == 1
    assert error.startswith("The certificate of the Reoclo API is not trusted: unable to get")
    for variable in CA_VARIABLES:
        assert variable in error
    assert "Tried" not in error
    assert api.requests == []


def test_a_certificate_that_signed_itself_is_not_trusted(make_job: MakeJob) -> None:
    """Nobody vouches for it."""
    with https(trustme.CA()) as api:
        [error] = make_job(api.url).main().annotations("error")
    assert "certificate of the Reoclo API is not trusted: self-signed" in error
    assert api.requests == []


def test_a_certificate_that_has_expired_is_called_so(
    private_ca: trustme.CA, make_job: MakeJob, tmp_path: Path
) -> None:
    """It may be the runner's clock, or the certificate."""
    yesterday = datetime.now(timezone.utc) - timedelta(days=1)
    with https(private_ca.issue_cert(HOST, not_after=yesterday)) as api:
        job = make_job(api.url, SSL_CERT_FILE=str(written(private_ca, tmp_path)))
        [error] = job.main().annotations("error")

    assert "is not trusted: certificate has expired." in error
    assert "Check the runner's clock" in error
    assert api.requests == []


def test_a_certificate_for_another_name_is_called_so(
    private_ca: trustme.CA, make_job: MakeJob, tmp_path: Path
) -> None:
    """It points to api_url."""
    with https(private_ca.issue_cert("reoclo.example")) as api:
        job = make_job(api.url, SSL_CERT_FILE=str(written(private_ca, tmp_path)))
        [error] = job.main().annotations("error")

    assert "mismatch" in error
    assert "Check the host in api_url" in error
    assert api.requests == []


@pytest.mark.parametrize("variable", CA_VARIABLES)
@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_file_that_cannot_be_used_is_told_and_left_out(
    make_job: MakeJob, tmp_path: Path, variable: str, content: str | None
) -> None:
    """One line names the variable and its file; what another variable adds counts all the same."""
    path = tmp_path / "bad.pem"
    if content is not None:
        path.write_text(content, "utf-8")
    ca, good = trustme.CA(), next(name for name in CA_VARIABLES if name != variable)
    with https(ca.issue_cert(HOST), "login-only") as api:
        job = make_job(api.url, **{variable: str(path), good: str(written(ca, tmp_path))})
        main = job.main()

    assert main.code == 0
    [told] = [line for line in main.log if variable in line]
    assert str(path) in told
    assert ("no such file" if content is None else "no certificate can be read") in told


@pytest.mark.parametrize("value", ["-----BEGIN CERTIFICATE-----\n" + "MII" * 999, "x" * 5000])
def test_a_certificate_in_place_of_a_path_is_left_out(
    private_ca: trustme.CA, make_job: MakeJob, tmp_path: Path, value: str
) -> None:
    """A variable with the certificate itself in it is told in one short line."""
    with https(private_ca.issue_cert(HOST), "login-only") as api:
        good = {"SSL_CERT_FILE": str(written(private_ca, tmp_path)), "REQUESTS_CA_BUNDLE": value}
        main = make_job(api.url, **good).main()

    assert main.code == 0
    [told] = [line for line in main.log if "REQUESTS_CA_BUNDLE is left out" in line]
    assert len(told) < 300


def test_what_openssl_trusts_is_still_trusted_beside_a_variable(
    private_ca: trustme.CA, tmp_path: Path
) -> None:
    """SSL_CERT_FILE adds to the system's own file, where OpenSSL would put it in its place."""
    system, mine = tmp_path / "system.pem", tmp_path / "mine.pem"
    ca = trustme.CA()
    ca.cert_pem.write_to_path(system)
    private_ca.cert_pem.write_to_path(mine)
    program = (
        "import socket, ssl, sys, lib; from lib.trust import open_context;"
        "found = ssl.get_default_verify_paths();"
        "ssl.get_default_verify_paths = lambda: found._replace(openssl_cafile=sys.argv[1]);"
        "context = open_context({'SSL_CERT_FILE': sys.argv[2]}, print);"
        "plain = socket.create_connection(('127.0.0.1', int(sys.argv[3])));"
        "print(context.wrap_socket(plain, server_hostname='127.0.0.1').version())"
    )
    with https(ca.issue_cert(HOST)) as api:
        command = [sys.executable, "-B", "-c", program, str(system), str(mine)]
        command += [api.url.rpartition(":")[2]]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)

    assert done.stdout.startswith("TLSv1")


@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_variable_changes_nothing(
    private_ca: trustme.CA, make_job: MakeJob, tmp_path: Path, value: str
) -> None:
    """It neither turns the check off nor is it a file."""
    empty = dict.fromkeys([*CA_VARIABLES, "CURL_CA_BUNDLE"], value)
    with https(private_ca.issue_cert(HOST)) as api:
        main = make_job(api.url, **empty).main()
    assert "is not trusted" in main.annotations("error")[0]
    assert not [line for line in main.log if "left out" in line]

    with https(private_ca.issue_cert(HOST), "login-only") as api:
        good = {**empty, "SSL_CERT_FILE": str(written(private_ca, tmp_path))}
        assert make_job(api.url, **good).main().code == 0


def test_an_api_without_tls_is_final(make_job: MakeJob) -> None:
    """Plain http at an https address is told as that, and not tried again."""
    with FakeApi([]) as api:
        main = make_job(api.url.replace("http:", "https:")).main()
    [error] = main.annotations("error")
    assert "it speaks no TLS" in error
    assert "Tried" not in error
