"""What the integration tests share."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from tests.integration.job import Job

MakeJob = Callable[..., Job]

# They would change what a test connects to, and what it trusts.
_FOREIGN = re.compile("PROXY|SSL_CERT|CA_BUNDLE|EXTRA_CA")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that updates tests/snapshots."""
    parser.addoption("--update-snapshots", action="store_true", help="write the snapshots anew")


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """Remove foreign variables from this process, and restore all of them afterwards."""
    before = dict(os.environ)
    for name in before:
        if _FOREIGN.search(name.upper()):
            del os.environ[name]
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def make_job(tmp_path: Path, restored_signals: None) -> MakeJob:  # noqa: ARG001
    """Return a function that makes a job for an API's URL."""
    return lambda api_url, **variables: Job(tmp_path, api_url, **variables)


@pytest.fixture(scope="session")
def ca() -> trustme.CA:
    """Return a CA that no system trusts."""
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(ca: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the path of the CA's certificate."""
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture(scope="session")
def server_tls(ca: trustme.CA) -> ssl.SSLContext:
    """Return the context of a server whose certificate the CA issued."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context
