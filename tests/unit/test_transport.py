"""One request and its answer, with an adapter in the place of the network."""

from __future__ import annotations

import io
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
import requests
from requests.adapters import BaseAdapter
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError
from urllib3.response import HTTPResponse

from lib.clock import Deadline
from lib.errors import Unreachable
from lib.transport import (
    LONGEST_ANSWER_BYTES,
    Answer,
    Bearer,
    Transport,
    open_session,
    parse_json,
    parse_retry_after,
)
from tests.unit.fake_clock import FakeClock

if TYPE_CHECKING:
    from pytest_httpserver import HTTPServer

ROOT = Path(__file__).resolve().parents[2]


class Network(BaseAdapter):
    """Takes the place of the network: answers by a function.

    Args:
        answer: Gives the body of an answer with status 200, or raises.
    """

    def __init__(self, answer: Callable[[], bytes]) -> None:
        super().__init__()
        self._answer = answer

    def send(self, request: requests.PreparedRequest, **_: object) -> requests.Response:  # type: ignore[override]  # its other arguments are of no interest
        """Answer a request."""
        body = self._answer()
        response = requests.Response()
        response.status_code = 200
        response.request = request
        response.url = request.url or ""
        response.raw = HTTPResponse(io.BytesIO(body), preload_content=False)
        return response

    def close(self) -> None:
        """Have nothing to close."""


TLS = ssl.create_default_context()


def send(
    answer: Callable[[], bytes], clock: FakeClock | None = None, seconds: float = 60
) -> Answer:
    """Send a request over such a network."""
    session = requests.Session()
    session.mount("https://", Network(answer))
    transport = Transport("https://api.example", session)
    return transport.send("GET", "/x", Deadline(clock or FakeClock(), seconds))


def fail_with(error: Exception) -> Unreachable:
    """Give what a request becomes that fails with an error."""

    def answer() -> bytes:
        raise error

    with pytest.raises(Unreachable) as caught:
        send(answer)
    return caught.value


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("1", 1), (" 120 ", 120), ("999999999", 999999999)],
)
def test_retry_after_is_read_as_seconds(text: str, seconds: float) -> None:
    """A number is seconds."""
    assert parse_retry_after(text) == seconds


def test_retry_after_is_read_as_a_date() -> None:
    """A date is the time until then, with any zone, and with none as in UTC."""
    then = datetime.now(timezone.utc) + timedelta(hours=1)
    dates = [
        format_datetime(then, usegmt=True),
        format_datetime(then.astimezone(timezone(timedelta(hours=5)))),
        then.strftime("%a, %d %b %Y %H:%M:%S"),
        then.strftime("%a %b %d %H:%M:%S %Y"),
    ]
    for date in dates:
        assert parse_retry_after(date) == pytest.approx(3600, abs=60)


def test_a_date_that_is_over_asks_for_no_wait() -> None:
    """The wait is never negative."""
    assert parse_retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0


@pytest.mark.parametrize(
    "text",
    ["", "soon", "-1", "1.5", "1e3", "٣", "²", "9" * 10, "9" * 5000, "inf", "nan", "0x10", "\x00",
     "1, 2", "Wed, 99 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 99999 07:28:00 GMT",
     "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
     "Mon, 01 Jan 2029 00:00:00 +9999999999999999",
     "Wed, 21 Oct 99999999999999999999 07:28:00 GMT"],
)  # fmt: skip
def test_nonsense_in_retry_after_is_ignored(text: str) -> None:
    """What is neither seconds nor a date asks for nothing."""
    assert parse_retry_after(text) is None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"a": [1]}', {"a": [1]}),
        (b"", None),
        (b"<html>", None),
        (b"\xff\xfe\xfd", None),
        (b"[" * 200_000, None),
        (b"9" * 5000, None),
    ],
)
def test_a_body_is_json_or_nothing(body: bytes, expected: object) -> None:
    """No body is more than no JSON, however odd it is."""
    assert parse_json(body) == expected


SECRET = 'rca_ab/"c\\d+e'


def every_letter_escaped(secret: str) -> str:
    """Spell a secret in JSON as nobody would."""
    return "".join(f"\\u{ord(letter):04X}" for letter in secret)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
@pytest.mark.parametrize(
    "spelled",
    [
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET)[1:-1].replace("/", r"\/"),
        every_letter_escaped(SECRET),
        rf"{every_letter_escaped(SECRET[:5])}\u001b[0m{json.dumps(SECRET[5:])[1:-1]}",
    ],
)
def test_json_is_read_without_the_secret(spelled: str, encoding: str) -> None:
    """However JSON spells an echoed secret, no text of the value has it."""
    body = f'{{"a": [1, null, "b {spelled} c", {{"d": "{spelled}"}}]}}'
    found = parse_json(body.encode(encoding), {SECRET})
    assert found == {"a": [1, None, "b *** c", {"d": "***"}]}


def test_an_answer_that_repeats_the_key_is_read_without_it() -> None:
    """The transport takes the key out of every answer, in any form of it."""
    key = "rca_Zm9vYmFy0123456789"
    header = b64encode(f"Authorization: Bearer {key}\r\n".encode()).decode()
    session = requests.Session()
    session.mount("https://", Network(json.dumps([key, header]).encode))
    answer = Transport("https://api.example", session, [key]).send(
        "GET", "/x", Deadline(FakeClock(), 60)
    )
    [as_it_is, encoded] = cast("list[str]", answer.content)
    assert as_it_is == "***"
    assert "***" in encoded
    assert key[3:-3].encode() not in b64decode(encoded.replace("***", ""))


def test_what_stands_around_json_is_not_looked_at_for_no_secret() -> None:
    """Without a secret an answer is as it was."""
    assert parse_json(b'{"a": "***"}', set()) == {"a": "***"}


@pytest.mark.parametrize("location", ["http://[::1", "https://elsewhere.invalid/", "//", "\xff"])
def test_the_address_of_a_redirect_is_not_looked_at(location: str) -> None:
    """A redirect is an answer like others, however odd the address in it is."""
    response = requests.Response()
    response.status_code = 302
    response.headers["Location"] = location
    assert open_session("rca_x", TLS).get_redirect_target(response) is None


def test_an_answer_is_read_whole() -> None:
    """All parts of a long body are there."""
    content = "x" * 300_000
    assert send(json.dumps(content).encode) == Answer(
        200, content, is_empty=False, retry_after=None
    )


@pytest.mark.parametrize("body", [b"", b" \r\n"])
def test_an_answer_of_only_white_space_is_empty(body: bytes) -> None:
    """An answer without content is told from one that is no JSON."""
    assert send(lambda: body).is_empty
    assert not send(lambda: b"<html>").is_empty


def test_an_answer_without_end_is_not_read_to_it() -> None:
    """A body too long for the API is given up on."""

    def endless() -> bytes:
        return b"x" * (LONGEST_ANSWER_BYTES + 1)

    with pytest.raises(Unreachable, match="broke off"):
        send(endless)


def test_a_request_is_left_behind_at_the_deadline() -> None:
    """Whatever the other side does, a request ends when its time is over."""
    answered = threading.Event()

    def never() -> bytes:
        answered.wait()
        return b""

    with pytest.raises(Unreachable, match="no answer in time") as caught:
        send(never, FakeClock(tick=1), seconds=2)
    answered.set()
    assert caught.value.transient
    assert caught.value.lost


def test_a_slow_answer_within_the_time_is_an_answer() -> None:
    """Waiting for an answer goes on as long as there is time."""
    looked = threading.Event()

    class Watched(FakeClock):
        def now(self) -> float:
            looked.set()
            return super().now()

    def slow() -> bytes:
        looked.clear()
        assert looked.wait(30)
        return b'"at last"'

    assert send(slow, Watched()).content == "at last"


def unverified(message: str) -> ssl.SSLCertVerificationError:
    """Make the error of a certificate that is not trusted."""
    error = ssl.SSLCertVerificationError(1, f"certificate verify failed: {message}")
    error.verify_message = message
    return error


def test_an_untrusted_certificate_is_final_and_names_the_remedy() -> None:
    """It does not pass by itself, and nothing was sent."""
    error = fail_with(requests.exceptions.SSLError(unverified("self-signed certificate")))
    assert (error.transient, error.lost) == (False, False)
    assert "is not trusted: self-signed certificate" in str(error)
    assert "REQUESTS_CA_BUNDLE" in str(error)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (requests.ReadTimeout("read timed out"), "no answer in time"),
        (TimeoutError("timed out"), "no answer in time"),
        (requests.ConnectionError(socket.gaierror(-2, "Name or service not known")),
         "its name cannot be resolved"),
        (requests.ConnectionError(ConnectionResetError(104, "Connection reset by peer")),
         "connection reset by peer"),
        (ConnectionRefusedError(111, "Connection refused"), "connection refused"),
        (requests.exceptions.ChunkedEncodingError("IncompleteRead(3 bytes read)"), "broke off"),
        (requests.exceptions.ContentDecodingError("gzip"), "broke off"),
        (requests.ConnectionError("HTTPSConnectionPool(host='api.example', port=443)"),
         "the connection was closed"),
    ],
)  # fmt: skip
def test_a_fault_is_told_in_words(error: Exception, reason: str) -> None:
    """A person reads what happened, and no library's names; another try may help."""
    found = fail_with(error)
    assert reason in str(found)
    assert "Check api_url" in str(found)
    assert "HTTPSConnectionPool" not in str(found)
    assert "Error" not in str(found)
    assert found.transient
    assert found.lost


def test_a_connection_that_was_never_made_lost_nothing() -> None:
    """Without a connection no login can have arrived."""
    reason = ConnectTimeoutError("timed out")
    assert not fail_with(requests.ConnectTimeout(MaxRetryError(None, "/x", reason))).lost  # type: ignore[arg-type]  # no pool


@pytest.mark.parametrize(
    "error",
    [
        requests.exceptions.InvalidURL("bad label"),
        UnicodeError("label empty or too long"),
    ],
)
def test_an_address_that_is_none_is_not_tried_again(error: Exception) -> None:
    """Another try cannot help."""
    assert not fail_with(error).transient


def test_a_chain_of_causes_that_bites_its_tail_ends() -> None:
    """An error that is its own cause is told all the same."""
    outer, inner = requests.ConnectionError("outer"), OSError("inner")
    outer.__cause__, inner.__cause__ = inner, outer
    assert "the connection was closed" in str(fail_with(outer))


def test_a_label_too_long_for_a_name_is_not_tried_again() -> None:
    """An address that can never be one is final, whichever library notices."""
    label = "a" * 64
    session = requests.Session()
    session.trust_env = False
    transport = Transport(f"https://{label}.example", session)
    with pytest.raises(Unreachable) as caught:
        transport.send("GET", "/x", Deadline(FakeClock(), 60))
    assert not caught.value.transient


def test_a_bug_is_not_called_a_fault_of_the_network() -> None:
    """Only what a request can raise becomes an ApiError."""

    def answer() -> bytes:
        raise KeyError

    with pytest.raises(KeyError):
        send(answer)


def test_the_key_is_in_the_header() -> None:
    """A session sends the key, its own name, and asks for JSON."""
    session = open_session("rca_x", TLS)
    prepared = session.prepare_request(requests.Request("GET", "https://api.example/x"))
    assert prepared.headers["Authorization"] == "Bearer rca_x"
    assert prepared.headers["Accept"] == "application/json"
    assert str(prepared.headers["User-Agent"]).startswith("reoclo-docker-auth/")


@pytest.mark.parametrize(("tls", "trusts"), [(TLS, True), (None, False)])
def test_plain_http_knows_no_proxy(tls: ssl.SSLContext | None, *, trusts: bool) -> None:
    """What is not encrypted does not leave this machine."""
    assert open_session("rca_x", tls).trust_env is trusts


def test_a_netrc_does_not_replace_the_key(tmp_path: Path) -> None:
    """An entry for the API's host in ~/.netrc is passed over."""
    (tmp_path / "netrc").write_text("machine api.example login mallory password other\n")
    program = (
        "import lib, requests, ssl; from lib.transport import open_session;"
        "session = open_session('rca_x', ssl.create_default_context());"
        "assert session.trust_env;"
        "request = requests.Request('GET', 'https://api.example/x');"
        "assert requests.utils.get_netrc_auth('https://api.example/x');"
        "print(session.prepare_request(request).headers['Authorization'])"
    )
    ended = subprocess.run(
        [sys.executable, "-B", "-c", program],
        cwd=ROOT,
        env={**os.environ, "NETRC": str(tmp_path / "netrc")},
        capture_output=True,
        check=True,
        text=True,
    )
    assert ended.stdout.strip() == "Bearer rca_x"


def test_the_key_is_not_in_the_repr() -> None:
    """A traceback that shows the session's authentication shows no key."""
    assert "rca_" not in repr(Bearer("rca_x"))


def fault_of(proxy: str) -> Unreachable:
    """Send by a proxy, where nothing can be sent, and give the error: it is final."""
    session = open_session("rca_0123456789", TLS)
    session.proxies = {"https": proxy}
    with pytest.raises(Unreachable) as caught:
        Transport("https://127.0.0.1:1", session).send("GET", "/", Deadline(FakeClock(), 20))
    assert not caught.value.transient
    assert not caught.value.lost
    return caught.value


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1080", "ftp://127.0.0.1", "http://"])
def test_a_proxy_that_cannot_be_used_is_called_so(proxy: str) -> None:
    """It is the proxy's address that is wrong, not that of the API, and nothing was sent."""
    fault = fault_of(proxy)

    assert "proxy that the environment names" in fault.what
    assert "HTTPS_PROXY" in fault.remedy


@pytest.mark.parametrize(
    "proxy",
    ["http://user:pa#ss@127.0.0.1:1", "http://127.0.0.1:99999", "http://a b:1", "http://a..b:1"],
)
def test_an_address_that_is_malformed_may_be_the_proxys(proxy: str) -> None:
    """Both are named, nothing of the proxy's password is, and nothing was sent."""
    fault = fault_of(proxy)

    assert "or of the proxy to it, is malformed" in fault.what
    assert "HTTPS_PROXY" in fault.remedy
    assert "ss@" not in str(fault)


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_proxy_that_does_not_reach_the_api_is_named(httpserver: HTTPServer, status: int) -> None:
    """It may do so later, and nothing was sent to the API."""
    httpserver.expect_request(re.compile(""), method="CONNECT").respond_with_data(status=status)
    session = open_session("rca_0123456789", TLS)
    session.proxies = {"https": httpserver.url_for("")}

    with pytest.raises(Unreachable, match=rf"the proxy .* cannot reach it \({status}\)") as caught:
        Transport("https://127.0.0.1:1", session).send("GET", "/", Deadline(FakeClock(), 20))

    assert caught.value.transient
    assert not caught.value.lost


@pytest.mark.parametrize(
    ("proxy", "is_read"), [("https://127.0.0.1:1", 1), ("http://127.0.0.1:1", 0)]
)
def test_certifi_is_read_once_and_only_for_a_proxy_with_tls(proxy: str, is_read: int) -> None:
    """To read it takes longer than a request; for the API itself urllib3 does so."""
    read: list[object] = []

    class Context(ssl.SSLContext):
        def load_verify_locations(self, *given: Any, **named: Any) -> None:
            read.append((given, named))
            super().load_verify_locations(*given, **named)

    session = open_session("rca_0123456789", Context(ssl.PROTOCOL_TLS_CLIENT))
    session.proxies = {"https": proxy}
    transport = Transport("https://127.0.0.1:1", session)
    for _ in range(2):
        with pytest.raises(Unreachable):
            transport.send("GET", "/", Deadline(FakeClock(), 20))

    assert len(read) == is_read
