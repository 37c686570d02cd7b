"""Connections: whether a request was sent, wherever it broke, and addresses that are dead."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from lib.api.connection import Attempt, Limits, _Recording, current
from lib.api.tls import create_context
from lib.cancellation import Canceled
from lib.errors import TransportError
from tests.integration.job import transport_to
from tests.integration.sockets import CLOSED_PORT, Server, unresponsive

SHORT, SHORT_READ = Limits(connect=0.3), Limits(read=0.3)
LIMITS = {"hello stall": SHORT, "request stall": SHORT, "tls request stall": SHORT_READ}

# What can happen to a connection to the API, before it received the request or after that.
API_FAULTS = [
    *(f"hello {end}" for end in ("fin", "rst", "stall", "plain fin")),
    *(f"tls request {end}" for end in ("fin", "rst", "stall", "plain fin", "half fin", "half rst")),
]
# What can happen to a connection to a proxy. It never sees the request.
PROXY_FAULTS = {
    "http": ["fin", "rst", *(f"request {end}" for end in ("fin", "rst", "stall", "407", "502"))],
    "https": ["hello fin", "hello rst", "hello plain fin"]
    + [f"tls request {end}" for end in ("fin", "rst", "407", "502")],
}


@pytest.fixture(scope="module")
def client_tls(ca_file: str) -> ssl.SSLContext:
    """Return the action's TLS context, which takes long to create."""
    return create_context({"SSL_CERT_FILE": ca_file}, print)


def send(url: str, tls: ssl.SSLContext | None = None, **options: Any) -> TransportError:
    """Send a login request, and return its error."""
    with transport_to(url, tls, **options) as send_to, pytest.raises(TransportError) as caught:
        send_to("POST", "/login")
    return caught.value


@contextmanager
def proxy_to(kind: str, port: int, tls: ssl.SSLContext) -> Iterator[str]:
    """Yield the URL of a proxy that connects to a port; an empty one for no kind of proxy."""
    script = "tls request relay" if kind == "https" else "request relay"
    with Server(script, tls=tls, target=port) as proxy:
        yield f"{kind}://127.0.0.1:{proxy.port}" if kind else ""


@pytest.mark.timeout(30)
@pytest.mark.parametrize("script", API_FAULTS)
@pytest.mark.parametrize("kind", ["", "http", "https"])
def test_fault_at_the_api_is_sent_or_not(
    kind: str, script: str, client_tls: ssl.SSLContext, server_tls: ssl.SSLContext
) -> None:
    with Server(script, tls=server_tls) as api, proxy_to(kind, api.port, server_tls) as proxy:
        limits = LIMITS.get(script, Limits())
        error = send(api.url, client_tls, proxy=proxy, limits=limits, seconds=60)
    assert error.maybe_processed is bool(api.heads) is ("request" in script)
    if error.maybe_processed:  # plain text after the request is not an API without TLS
        assert (error.retryable, error.hint.anchor) == (True, "unreachable")


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    ("kind", "script"), [(kind, script) for kind in PROXY_FAULTS for script in PROXY_FAULTS[kind]]
)
def test_fault_at_a_proxy_is_not_sent(
    kind: str, script: str, client_tls: ssl.SSLContext, server_tls: ssl.SSLContext
) -> None:
    with Server(script, tls=server_tls) as server:
        proxy, limits = f"{kind}://127.0.0.1:{server.port}", LIMITS.get(script, Limits())
        error = send("https://127.0.0.1", client_tls, proxy=proxy, limits=limits, seconds=60)
    assert not error.maybe_processed


@pytest.mark.parametrize("proxied", [False, True])
def test_failed_connection_is_not_sent(client_tls: ssl.SSLContext, *, proxied: bool) -> None:
    """It is refused, or times out."""
    with unresponsive() as (_, silent):
        for port in (silent, CLOSED_PORT):
            address = f"127.0.0.1:{port}"
            proxy = f"http://{address}" if proxied else ""
            error = send(f"https://{address}", client_tls, proxy=proxy, limits=SHORT)
            assert (error.maybe_processed, error.retryable) == (False, True)


@pytest.mark.parametrize("fault", ["fin", "half fin", "stall", "drip"])
def test_fault_on_a_kept_connection_is_sent_and_bounded_by_the_deadline(fault: str) -> None:
    script = f"request 200 request {fault}"
    with Server(script) as api, transport_to(api.url, seconds=0.5) as send_to:
        assert send_to("GET", "/first").status == 200
        with pytest.raises(TransportError) as caught:
            send_to("POST", "/second")
    assert (caught.value.maybe_processed, caught.value.retryable) == (True, True)


def test_kept_connection_that_was_closed_is_replaced() -> None:
    """The API closes idle connections; the next request must not fail for that."""
    with Server("request 200 fin", "serve") as api, transport_to(api.url) as send_to:
        assert send_to("GET", "/op-1").status == 200
        assert api.played.wait(10)
        assert send_to("GET", "/op-1").status == 200
    assert api.connections == 2


@pytest.mark.parametrize(
    ("api_script", "proxy_script"),
    [("stall tls request", "request relay"), ("tls request", "request stall relay")],
)
def test_connection_that_succeeds_too_late_sends_nothing(
    api_script: str, proxy_script: str, client_tls: ssl.SSLContext, server_tls: ssl.SSLContext
) -> None:
    with (
        Server(api_script, tls=server_tls) as api,
        Server(proxy_script, target=api.port) as proxy,
    ):
        error = send(api.url, client_tls, proxy=proxy.url, seconds=0.2)
        assert not error.maybe_processed
        api.released.set()
        proxy.released.set()
        assert api.played.wait(10)
    assert api.heads == []


def test_request_that_arrived_before_a_cancellation_is_sent() -> None:
    with (
        Server("request stall") as api,
        transport_to(api.url, is_abandoned=lambda: bool(api.heads)) as send_to,
        pytest.raises(Canceled) as caught,
    ):
        send_to("POST", "/login")
    assert caught.value.maybe_processed


def test_thread_that_cannot_start_is_not_sent() -> None:
    with Server("serve") as api:
        before = threading.stack_size(1 << 47)  # more than an address space has
        try:
            error = send(api.url)
        finally:
            threading.stack_size(before)
    assert (error.maybe_processed, error.retryable, api.heads) == (False, True, [])


@pytest.mark.timeout(30)
def test_dead_address_costs_little_of_the_connect_timeout() -> None:
    with Server("stall") as api, unresponsive() as dead:

        class TwoAddresses(_Recording):
            def _addresses(self) -> list[tuple[str, int]]:
                return [dead, ("127.0.0.1", api.port)]

        current.attempt = Attempt(Limits(address=0.1, connect=60))
        with closing(TwoAddresses("two-addresses")) as connection:
            connection.connect()
            assert connection.sock.getpeername() == ("127.0.0.1", api.port)
