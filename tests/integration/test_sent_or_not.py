"""Whether a request was sent, where it broke off, and what main and post make of it."""

from __future__ import annotations

import os
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

import pytest
import requests
from requests.adapters import HTTPAdapter

from lib.api.connection import Limits
from lib.api.tls import create_context
from lib.api.transport import Transport, open_session
from lib.deadline import Deadline, SystemClock
from lib.errors import TransportError
from tests.integration.conftest import MakeJob
from tests.integration.job import KEY, PASSTHROUGH, VAULT, transport_to
from tests.integration.sockets import Answer, Server, closed_port, unresponsive

SHORT = Limits(connect=0.3, read=5)
SHORT_READ = Limits(read=0.3)
LIMITS = {"hello stall": SHORT, "head stall": SHORT, "tls request stall": SHORT_READ}
RELAY = {"http": "head relay", "https": "tls head relay"}
MODES = pytest.mark.parametrize("mode", [VAULT, PASSTHROUGH], ids=["vault", "passthrough"])

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
# The same behind a proxy, where only the slow ones would be repeated.
ONCE = ["hello stall", "tls request stall"]
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
    clock = SystemClock()
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


@pytest.mark.parametrize(
    ("proxy", "script"),
    [
        (proxy, script)
        for proxy in ("", "http", "https")
        for script in API_FAULTS
        if not proxy or script not in ONCE
    ],
)
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
def test_refused_connection_is_not_sent(client_tls: ssl.SSLContext, *, proxied: bool) -> None:
    proxy = f"http://127.0.0.1:{closed_port()}" if proxied else ""
    error = send(f"https://127.0.0.1:{closed_port()}", client_tls, proxy=proxy)
    assert (error.maybe_processed, error.retryable) == (False, True)


@pytest.mark.parametrize("proxied", [False, True])
def test_connection_timeout_is_not_sent(client_tls: ssl.SSLContext, *, proxied: bool) -> None:
    with unresponsive() as (host, port):
        proxy = f"http://{host}:{port}" if proxied else ""
        error = send(f"https://{host}:{port}", client_tls, proxy=proxy, limits=SHORT)
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
            error = send(
                f"https://127.0.0.1:{api.port}",
                client_tls,
                proxy=f"http://127.0.0.1:{proxy.port}",
                seconds=0.2,
            )
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


class OutOfMemory(HTTPAdapter):
    """Adapter that runs out of memory before it connects."""

    def send(self, *_: object, **__: object) -> requests.Response:
        """Raise."""
        raise MemoryError


def test_lack_of_memory_before_sending_is_not_sent() -> None:
    clock = SystemClock()
    session = open_session(KEY, None)
    session.mount("http://", OutOfMemory())
    with session, pytest.raises(TransportError) as caught:
        Transport("http://127.0.0.1", session, clock).send("POST", "/", {}, deadlines=())
    assert (caught.value.maybe_processed, caught.value.retryable) == (False, True)


@MODES
@pytest.mark.parametrize(
    ("scripts", "status", "stages"),
    [
        (["request fin", "serve"], 403, ["requested"]),
        (["request rst", "serve"], 403, ["requested"]),
        (["request half fin", "serve"], 403, ["requested"]),
        (["request fin"], 0, ["requested"]),
        (["serve"], 502, ["requested"]),
        (["serve"], 403, ["requested", "failed"]),
        (["serve"], 302, ["requested", "failed"]),
        (["serve"], 199, ["requested"]),
    ],
)
def test_post_cleans_up_what_may_have_been_sent(
    mode: Mapping[str, str], scripts: list[str], status: int, stages: list[str], make_job: MakeJob
) -> None:
    failed = [Answer(status, {"detail": "no"})]
    with Server(*scripts, answers={"login": failed, "login-direct": failed}) as api:
        job = make_job(api.port, **mode)
        assert job.main().code == 1
        assert job.stages == stages
        check_post(api, job.post, is_passthrough=mode is PASSTHROUGH, is_sent=len(stages) == 1)


@pytest.mark.parametrize(
    ("mode", "scripts", "is_sent"),
    [
        (VAULT, ["tls request fin", "tls serve"], True),
        (PASSTHROUGH, ["tls request rst", "tls serve"], True),
        (VAULT, ["hello fin"], False),
        (PASSTHROUGH, ["hello fin", "tls serve"], False),
    ],
)
def test_post_behind_a_proxy_cleans_up_what_was_sent(
    mode: Mapping[str, str],
    scripts: list[str],
    make_job: MakeJob,
    server_tls: ssl.SSLContext,
    ca_file: str,
    *,
    is_sent: bool,
) -> None:
    refused = [Answer(403, {"detail": "no"})]
    answers = {"login": refused, "login-direct": refused}
    with ExitStack() as stack:
        api = stack.enter_context(Server(*scripts, tls=server_tls, answers=answers))
        proxy = stack.enter_context(Server("head relay", target=api.port))
        os.environ["HTTPS_PROXY"] = f"http://127.0.0.1:{proxy.port}"
        job = make_job(f"https://127.0.0.1:{api.port}", SSL_CERT_FILE=ca_file, **mode)
        assert job.main().code == 1
        assert job.stages == (["requested"] if is_sent else ["requested", "failed"])
        api.scripts = ["tls serve"]
        check_post(api, job.post, is_passthrough=mode is PASSTHROUGH, is_sent=is_sent)


def check_post(api: Server, post: object, *, is_passthrough: bool, is_sent: bool) -> None:
    """Check that post logs out or warns where the login may have been processed, and only then."""
    api.scripts = [api.scripts[-1]] if "serve" in api.scripts[-1] else ["serve"]
    before = len(api.calls)
    ended = post()  # type: ignore[operator]
    assert ended.code == 0
    assert len(ended.warnings) == is_sent
    assert api.calls[before:] == (["logout", "op-2"] if is_sent and is_passthrough else [])
