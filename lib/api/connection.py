"""Connections that record whether a request was sent, and that pass dead addresses quickly."""

import socket
import ssl
import threading
import time
from dataclasses import dataclass
from typing import Any

from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Time limits of one attempt, in seconds."""

    address: float = 3.0  # to connect to an address of a name that has more addresses
    connect: float = 10.0  # for all addresses; again for a proxy's CONNECT and for TLS
    read: float = 30.0  # to wait for bytes of the response


class Abandoned(Exception):
    """Raised in the thread of an attempt that was abandoned before its request was sent."""


class Attempt:
    """One attempt to send a request. If it was abandoned before that, it never sends it."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.sent = False  # whether the request's own bytes started to go out
        self._lock = threading.Lock()
        self._abandoned = False

    def start_sending(self) -> None:
        """Record that the request is sent from here on, or raise `Abandoned`."""
        with self._lock:
            if self._abandoned and not self.sent:
                raise Abandoned
            self.sent = True

    def abandon(self) -> bool:
        """Abandon the attempt, and return whether its request was sent."""
        with self._lock:
            self._abandoned = True
            return self.sent


class _CurrentAttempt(threading.local):
    """The attempt of this thread. Each attempt has its own thread."""

    attempt: Attempt


current = _CurrentAttempt()


class _Recording(HTTPConnection):
    """Connection that reports to the current attempt."""

    _connecting = False

    def connect(self) -> None:
        """Connect, which includes a proxy's CONNECT and the TLS handshake."""
        self._connecting = True
        try:
            super().connect()
        finally:
            self._connecting = False

    def send(self, data: Any) -> None:  # noqa: ANN401 the types are those of http.client
        """Send bytes. While connecting they are not the request's own: CONNECT, for example."""
        if not self._connecting:
            if self.sock is None:
                self.connect()
            current.attempt.start_sending()
        super().send(data)

    def _new_conn(self) -> socket.socket:
        """Connect to the first address of the name that responds in time."""
        limits = current.attempt.limits
        end = time.monotonic() + limits.connect
        error: OSError | None = None
        addresses = self._addresses()
        for address in addresses:
            seconds = max(0.01, end - time.monotonic())
            if address is not addresses[-1]:
                seconds = min(seconds, limits.address)
            try:
                connected = create_connection(address, seconds, socket_options=self.socket_options)
            except OSError as found:
                error = found
            else:
                connected.settimeout(limits.connect)
                return connected
        raise NewConnectionError(self, f"connection failed: {error}") from error

    def _addresses(self) -> list[tuple[str, int]]:
        try:
            found = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        return [(str(address[0]), int(address[1])) for *_, address in found]


class _RecordingHttps(_Recording, HTTPSConnection):
    """The same with TLS."""


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Recording


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _RecordingHttps


class RecordingAdapter(HTTPAdapter):
    """Adapter of requests for these connections. Without a TLS context it is for plain http."""

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        self._tls = tls
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 of requests
        """Create the pools for these connections."""
        super().init_poolmanager(*args, ssl_context=self._tls, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:  # noqa: ANN401 of requests
        """Return the pools for a proxy. A proxy with TLS is verified as the API is."""
        is_new = proxy not in self.proxy_manager
        # requests adds certifi's certificates for the API only, and reading them takes long.
        if is_new and self._tls and proxy.lower().startswith("https:"):
            self._tls.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
        tls = {"ssl_context": self._tls, "proxy_ssl_context": self._tls}
        manager = super().proxy_manager_for(proxy, **tls, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


_POOLS = {"http": _HttpPool, "https": _HttpsPool}
