"""What the integration tests share."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from tests.integration.job import Job, clean_process

MakeJob = Callable[..., Job]


@pytest.fixture(autouse=True)
def process() -> Iterator[None]:
    """Keep a step's changes to this process, and the process's variables, out of other tests."""
    with clean_process():
        yield


@pytest.fixture
def make_job(tmp_path: Path) -> MakeJob:
    """Return a function that makes a job for an API's URL or port."""
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
