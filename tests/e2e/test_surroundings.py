"""The action in surroundings that it has not chosen: the job's Python, home, locale, proxies."""

from __future__ import annotations

import base64
import os
import select
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import trustme

from tests.conftest import Play
from tests.e2e.conftest import API_KEY, MakeRunner
from tests.fake_api import FakeApi, recording

TRAP = "import sys; sys.stdout.write('injected\\n'); sys.exit(3)\n"


def test_the_jobs_python_settings_and_modules_have_no_say(
    fake_api: Play, make_runner: MakeRunner
) -> None:
    """PYTHON* variables, and modules in the workspace, change nothing about the action."""
    runner = make_runner(fake_api("ghcr"))
    for name in ("requests", "json", "sitecustomize", "usercustomize", "lib"):
        (runner.workspace / f"{name}.py").write_text(TRAP, "utf-8")
    runner.set(
        {
            "PYTHONPATH": str(runner.workspace),
            "PYTHONSTARTUP": str(runner.workspace / "json.py"),
            "PYTHONHOME": str(runner.workspace),
            "PYTHONWARNINGS": "error",
            "PYTHONINSPECT": "1",
        }
    )

    main = runner.main()
    runner.post()

    assert main.exit_code == 0
    assert "injected" not in main.output


def test_a_netrc_entry_does_not_replace_the_key(fake_api: Play, make_runner: MakeRunner) -> None:
    """A ~/.netrc that names the API's host has no part in the conversation."""
    api = fake_api("ghcr")
    runner = make_runner(api)
    home = runner.workspace.parent
    (home / ".netrc").write_text("default login somebody password wrong\n", "utf-8")

    runner.main()
    runner.post()

    assert {seen.headers["Authorization"] for seen in api.requests} == {f"Bearer {API_KEY}"}


def test_the_interpreters_own_packages_have_no_say(
    fake_api: Play, make_runner: MakeRunner, tmp_path: Path
) -> None:
    """sitecustomize, .pth files and packages of the interpreter that is found are not loaded."""
    python = tmp_path / "python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", python], check=True)
    [site] = python.glob("lib/python3*/site-packages")
    for name in ("sitecustomize", "usercustomize", "requests", "backoff"):
        (site / f"{name}.py").write_text(TRAP, "utf-8")
    (site / "trap.pth").write_text(TRAP, "utf-8")
    runner = make_runner(fake_api("ghcr"), environment={"pythonLocation": str(python)})

    main = runner.main()
    post = runner.post()

    assert (main.exit_code, post.exit_code) == (0, 0)
    assert "injected" not in main.output + post.output


@pytest.mark.parametrize(
    "locale",
    [
        {"LC_ALL": "C"},
        {"LANG": "tr_TR.UTF-8", "LC_ALL": "tr_TR.UTF-8"},
        {"LC_ALL": "no_SUCH.locale"},
        {"PYTHONIOENCODING": "ascii:strict", "PYTHONUTF8": "0", "LC_ALL": "C"},
    ],
    ids=str,
)
def test_the_locale_changes_nothing(
    fake_api: Play, make_runner: MakeRunner, locale: dict[str, str]
) -> None:
    """Whatever the job's language and encoding are, the log is the same, and is UTF-8."""
    runner = make_runner(fake_api("refused-in-japanese"), environment=locale)

    main = runner.main()
    runner.post()

    assert main.exit_code == 1
    assert "認証に失敗しました: unauthorized" in main.log.text()


class Proxy:
    """A proxy that opens tunnels to wherever it is asked, and remembers who asked how."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.heads: list[str] = []
        self.tls: ssl.SSLContext | None = None

    @property
    def address(self) -> str:
        """Give its host and port."""
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def serve(self) -> None:
        """Open tunnels until it is closed."""
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._tunnel, args=(client,), daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _tunnel(self, client: socket.socket) -> None:
        if self.tls:
            self._tunnel_in_tls(client, self.tls)
            return
        with client:
            head = client.recv(65536).decode()
            self.heads.append(head)
            host, _, port = head.split()[1].rpartition(":")
            with socket.create_connection((host, int(port))) as server:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                there = threading.Thread(target=_copy, args=(client, server), daemon=True)
                there.start()
                _copy(server, client)
                there.join(10)

    def _tunnel_in_tls(self, client: socket.socket, tls: ssl.SSLContext) -> None:
        """Open a tunnel in TLS: one thread, since OpenSSL does not read and write at once."""
        with suppress(OSError), tls.wrap_socket(client, server_side=True) as ours:
            head = ours.recv(65536).decode()
            self.heads.append(head)
            host, _, port = head.split()[1].rpartition(":")
            with socket.create_connection((host, int(port))) as server:
                ours.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                _exchange(ours, server)


def _exchange(ours: ssl.SSLSocket, server: socket.socket) -> None:
    while True:
        ready = [ours] if ours.pending() else select.select([ours, server], [], [])[0]
        for source in ready:
            chunk = source.recv(65536)
            if not chunk:
                return
            (server if source is ours else ours).sendall(chunk)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """Start a proxy."""
    started = Proxy()
    threading.Thread(target=started.serve, daemon=True).start()
    yield started
    started.close()


@contextmanager
def https_api(
    folder: Path, name: str, proxy: Proxy | None = None
) -> Iterator[tuple[FakeApi, dict[str, str]]]:
    """Start an API with https, a proxy too if asked, and give the variable with their CA."""
    ca = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    ca.cert_pem.write_to_path(folder / "ca.pem")
    if proxy:
        proxy.tls = context
    with FakeApi([recording.load(name)], tls=context) as api:
        yield api, {"NODE_EXTRA_CA_CERTS": str(folder / "ca.pem")}


def test_a_proxy_that_speaks_tls_is_trusted_as_the_api_is(
    make_runner: MakeRunner, tmp_path: Path, proxy: Proxy
) -> None:
    """The CA that the environment names is good for the proxy's certificate too."""
    with https_api(tmp_path, "ghcr", proxy) as (api, trusted):
        runner = make_runner(api, environment=trusted)
        runner.set({"HTTPS_PROXY": f"https://{proxy.address}"})
        main = runner.main()
        post = runner.post()

    assert (main.exit_code, post.exit_code) == (0, 0)
    api.verify()
    assert len(proxy.heads) >= 2


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_proxy_with_a_password_is_used_and_not_told(
    make_runner: MakeRunner, tmp_path: Path, proxy: Proxy, variable: str
) -> None:
    """All requests go through the proxy, which sees its own password and never the key."""
    with https_api(tmp_path, "ghcr") as (api, trusted):
        runner = make_runner(api, environment={**trusted, "RUNNER_DEBUG": "1"})
        runner.set({variable: f"http://proxyuser:proxyword@{proxy.address}"})
        main = runner.main()
        post = runner.post()

    assert (main.exit_code, post.exit_code) == (0, 0)
    api.verify()
    assert len(proxy.heads) >= 2
    password = base64.b64encode(b"proxyuser:proxyword").decode()
    for head in proxy.heads:
        assert head.startswith("CONNECT 127.0.0.1:")
        assert password in head
        assert API_KEY not in head
    for told in (main.output, post.output, main.state_text):
        assert "proxyword" not in told
        assert password not in told


@pytest.mark.parametrize("hosts", ["127.0.0.1", "localhost,127.0.0.1", "*"])
def test_no_proxy_is_obeyed(
    make_runner: MakeRunner, tmp_path: Path, proxy: Proxy, hosts: str
) -> None:
    """A host that NO_PROXY names is reached without the proxy."""
    with https_api(tmp_path, "login-only") as (api, trusted):
        runner = make_runner(api, environment=trusted)
        runner.set({"HTTPS_PROXY": f"http://{proxy.address}", "NO_PROXY": hosts})
        assert runner.main().exit_code == 0

    assert proxy.heads == []


def test_plain_http_never_goes_through_a_proxy(
    fake_api: Play, make_runner: MakeRunner, proxy: Proxy
) -> None:
    """Plain http is for this machine; a proxy for it would be shown the key."""
    runner = make_runner(
        fake_api("login-only"), environment={"HTTP_PROXY": f"http://{proxy.address}"}
    )
    assert runner.main().exit_code == 0
    assert proxy.heads == []


def test_nothing_in_the_environment_turns_the_check_off(
    make_runner: MakeRunner, tmp_path: Path
) -> None:
    """No variable that switches TLS checks off elsewhere does so here."""
    off = {
        "NODE_TLS_REJECT_UNAUTHORIZED": "0",
        "PYTHONHTTPSVERIFY": "0",
        "CURL_CA_BUNDLE": "",
        "REQUESTS_CA_BUNDLE": "",
        "SSL_CERT_FILE": os.devnull,
        "SSL_NO_VERIFY": "1",
    }
    with https_api(tmp_path, "login-only") as (api, _):
        main = make_runner(api, environment=off).main()

    assert main.exit_code == 1
    assert "is not trusted" in main.log.annotations[-1][1]
    assert api.requests == []
