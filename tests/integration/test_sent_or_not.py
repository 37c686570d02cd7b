"""Connections: whether a request was sent, wherever it broke, and addresses that are dead."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from urllib3.connectionpool import HTTPConnectionPool

from lib.api.connection import Limits, RecordingAdapter, _Recording
from lib.api.tls import create_context
from lib.api.transport import Transport, open_session
from lib.deadline import Clock, Deadline
from lib.errors import TransportError
from tests.integration.job import KEY, transport_to
from tests.integration.sockets import Server, closed_port, unresponsive

SHORT = Limits(connect=0.3, read=5)
SHORT_READ = Limits(read=0.3)
LIMITS = {"hello stall": SHORT, "head stall": SHORT, "tls request stall": SHORT_READ}
RELAY = {"http": "head relay", "https": "tls head relay"}

# What can happen to a connection to the API, and whether the request was sent by then.
API_FAULTS = {
    "hello fin": False,
    "hello rst": False,
    "hello stall": False,
    "hello plain fin": False,
    "tls request fin": True,
    "tls request rst": True,
    "tls request stall": True,
    "tls request plain fin": True,
    "tls request half fin": True,
    "tls request half rst": True,
}
# What can happen to a connection to a proxy. It never sees the request.
PROXY_FAULTS = {
    "http": ["fin", "rst", "head fin", "head rst", "head stall", "head 407", "head 502"],
    "https": ["hello fin", "hello rst", "hello plain fin"]
    + [f"tls head {end}" for end in ("fin", "rst", "407", "502")],
}


@pytest.fixture(scope="module")
def client_tls(ca_file: str) -> ssl.SSLContext:
    """Return the action's TLS context, which takes long to create."""
    return create_context({"SSL_CERT_FILE": ca_file}, print)


def send(
    url: str,
    tls: ssl.SSLContext | None,
    *,
    proxy: str = "",
    limits: Limits = Limits(),  # noqa: B008 immutable
    seconds: float = 20,
) -> TransportError:
    """Send a login request, and return its error."""
    session = open_session(KEY, tls)
    session.proxies = {"https": proxy} if proxy else {}
    clock = Clock()
    transport = Transport(url, session, clock, limits)
    with session, pytest.raises(TransportError) as caught:
        transport.send("POST", "/login", {}, deadlines=(Deadline(clock, seconds),))
    return caught.value


@contextmanager
def api_behind(proxy: str, *scripts: str, tls: ssl.SSLContext) -> Iterator[tuple[Server, str]]:
    """Yield an API and the URL of the proxy in front of it; no URL without a kind of proxy."""
    with Server(*scripts, tls=tls) as api:
        if not proxy:
            yield api, ""
            return
        with Server(RELAY[proxy], tls=tls, target=api.port) as relay:
            yield api, f"{proxy}://127.0.0.1:{relay.port}"


@pytest.mark.parametrize("script", API_FAULTS)
@pytest.mark.parametrize("proxy", ["", "http", "https"])
def test_fault_at_the_api_is_sent_or_not(
    proxy: str, script: str, client_tls: ssl.SSLContext, server_tls: ssl.SSLContext
) -> None:
    with api_behind(proxy, script, tls=server_tls) as (api, proxy_url):
        limits = LIMITS.get(script, Limits())
        error = send(f"https://127.0.0.1:{api.port}", client_tls, proxy=proxy_url, limits=limits)
    assert error.maybe_processed is API_FAULTS[script]
    assert bool(api.heads) is API_FAULTS[script]
    if error.maybe_processed:  # plain text after the request is not an API without TLS
        assert (error.retryable, error.hint.anchor) == (True, "unreachable")


@pytest.mark.parametrize(
    ("proxy", "script"), [(kind, script) for kind in PROXY_FAULTS for script in PROXY_FAULTS[kind]]
)
def test_fault_at_a_proxy_is_not_sent(
    proxy: str, script: str, client_tls: ssl.SSLContext, server_tls: ssl.SSLContext
) -> None:
    with Server(script, tls=server_tls) as server:
        url = f"{proxy}://127.0.0.1:{server.port}"
        limits = LIMITS.get(script, Limits())
        error = send("https://127.0.0.1", client_tls, proxy=url, limits=limits)
    assert not error.maybe_processed


@pytest.mark.parametrize("proxied", [False, True])
def test_failed_connection_is_not_sent(client_tls: ssl.SSLContext, *, proxied: bool) -> None:
    """It is refused, or times out."""
    with unresponsive() as (_, silent):
        for port in (silent, closed_port()):
            url = f"127.0.0.1:{port}"
            proxy = f"http://{url}" if proxied else ""
            error = send(f"https://{url}", client_tls, proxy=proxy, limits=SHORT)
            assert (error.maybe_processed, error.retryable) == (False, True)


@pytest.mark.parametrize(
    "script", ["request fin", "request rst", "request stall", "request half fin"]
)
def test_fault_after_a_request_on_a_kept_connection_is_sent(script: str) -> None:
    with Server(f"request 200 {script}") as api, transport_to(api.port, SHORT_READ) as send_to:
        assert send_to("GET", "/first").status == 200
        with pytest.raises(TransportError) as caught:
            send_to("POST", "/second")
    assert caught.value.maybe_processed


def test_kept_connection_that_was_closed_is_replaced() -> None:
    """The API closes idle connections; the next request must not fail for that."""
    with Server("request 200 fin", "serve") as api, transport_to(api.port) as send_to:
        for _ in range(2):
            assert send_to("GET", "/op-1").status == 200
            assert api.played.wait(10)
    assert api.connections == 2


@pytest.mark.parametrize("pausing", ["api", "proxy"])
def test_connection_that_succeeds_too_late_sends_nothing(
    pausing: str, client_tls: ssl.SSLContext, server_tls: ssl.SSLContext
) -> None:
    with Server("pause tls request" if pausing == "api" else "tls request", tls=server_tls) as api:
        script = "head pause relay" if pausing == "proxy" else "head relay"
        with Server(script, target=api.port) as proxy:
            url, through = (f"://127.0.0.1:{server.port}" for server in (api, proxy))
            error = send(f"https{url}", client_tls, proxy=f"http{through}", seconds=0.2)
            assert not error.maybe_processed
            api.released.set()
            proxy.released.set()
            assert api.closed_by_client.wait(10)
        assert api.heads == []


def test_thread_that_cannot_start_is_not_sent() -> None:
    with Server("serve") as api:
        before = threading.stack_size(1 << 47)  # more than an address space has
        try:
            error = send(f"http://127.0.0.1:{api.port}", None)
        finally:
            threading.stack_size(before)
        assert (error.maybe_processed, error.retryable) == (False, True)
        assert api.heads == []


def test_dead_address_costs_little_of_the_time() -> None:
    """The name's first address does not respond; the deadline allows no full connect timeout."""
    with Server("serve") as api, unresponsive() as dead, open_session(KEY, None) as session:

        class TwoAddresses(_Recording):
            def _addresses(self) -> list[tuple[str, int]]:
                return [dead, ("127.0.0.1", api.port)]

        class Pool(HTTPConnectionPool):
            ConnectionCls = TwoAddresses

        adapter = session.get_adapter("http://")
        assert isinstance(adapter, RecordingAdapter)
        adapter.poolmanager.pool_classes_by_scheme = {"http": Pool}
        clock = Clock()
        limits = Limits(address=0.1, connect=60, read=60)
        transport = Transport("http://two-addresses", session, clock, limits)
        deadlines = (Deadline(clock, 20),)
        assert transport.send("GET", "/op-1", None, deadlines=deadlines).status == 200
