"""Proxies of the process's environment."""

from __future__ import annotations

import os
import ssl

import pytest

from tests.integration.conftest import MakeJob
from tests.integration.sockets import Server
from tests.variables import KEY


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_proxy_forwards_every_request_and_never_sees_the_key(
    scheme: str, make_job: MakeJob, server_tls: ssl.SSLContext, ca_file: str
) -> None:
    script = "request relay" if scheme == "http" else "tls request relay"
    with (
        Server("tls serve", tls=server_tls) as api,
        Server(script, tls=server_tls, target=api.port) as proxy,
    ):
        os.environ["HTTPS_PROXY"] = f"{scheme}://user:s3cr%40t@127.0.0.1:{proxy.port}"
        job = make_job(api.url, SSL_CERT_FILE=ca_file)
        main, post = job.main(), job.post()
    assert (main.code, post.warnings) == (0, [])
    assert api.calls == ["login", "op-1", "logout", "op-2"]
    assert proxy.connections == 2
    assert all("Proxy-Authorization: Basic dXNlcjpzM2NyQHQ=" in head for head in proxy.heads)
    assert KEY not in "".join(proxy.heads)
    assert not any("Proxy-Authorization" in head for head in api.heads)


@pytest.mark.parametrize(
    ("scheme", "script", "anchor"),
    [("http", "request 407", "proxy"), ("https", "tls request 407", "certificate")],
)
def test_rejecting_or_untrusted_proxy_is_final_and_its_password_stays(
    scheme: str, script: str, anchor: str, make_job: MakeJob, server_tls: ssl.SSLContext
) -> None:
    with Server(script, tls=server_tls) as proxy:
        os.environ["HTTPS_PROXY"] = f"{scheme}://user:s3cr%40t@127.0.0.1:{proxy.port}"
        job = make_job("https://api.example", RUNNER_DEBUG="1")
        main = job.main()
    assert (main.anchors, job.stages, proxy.connections) == ([anchor], ["requested", "failed"], 1)
    assert not [line for line in main.log if "s3cr" in line or "user:" in line]


@pytest.mark.parametrize(
    "proxy",
    ["socks5://127.0.0.1:1080", "ftp://127.0.0.1", "http://", "http://user:x#s3cr@127.0.0.1:1"],
)
def test_unusable_proxy_is_final(proxy: str, make_job: MakeJob) -> None:
    os.environ["HTTPS_PROXY"] = proxy
    job = make_job("https://api.example")
    main = job.main()
    assert (main.anchors, job.stages) == (["proxy"], ["requested", "failed"])
    assert not [line for line in main.log if "s3cr" in line]


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_no_proxy_connects_directly(
    name: str, make_job: MakeJob, server_tls: ssl.SSLContext, ca_file: str
) -> None:
    with Server("tls serve", tls=server_tls) as api, Server("request relay") as proxy:
        os.environ |= {"HTTPS_PROXY": proxy.url, name: "example.com, 127.0.0.0/8"}
        job = make_job(api.url, SSL_CERT_FILE=ca_file)
        assert job.main().code == 0
    assert (api.connections, proxy.connections) == (1, 0)


def test_plain_http_uses_no_proxy(make_job: MakeJob) -> None:
    """It is for loopback addresses, and a proxy would see the key."""
    with Server("serve") as api, Server("request relay") as proxy:
        names = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]
        os.environ |= dict.fromkeys(names, proxy.url)
        assert make_job(api.url).main().code == 0
    assert (api.connections, proxy.connections) == (1, 0)
