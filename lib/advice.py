"""What to tell the user about each failure: the error catalogue, as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Advice(NamedTuple):
    """What a status means here, and what to do about it.

    `{needs}` stands for what the key must allow, `{inputs}` for the inputs with ids that were
    sent.
    """

    meaning: str
    remedy: str


KEYS_PAGE = "in Reoclo under API Keys, Automation Keys"

STATUS_ADVICE = {
    401: Advice(
        "does not accept the key",
        "Check that the secret behind api_key holds the whole automation key (rca_…), that the "
        "key has not been revoked, and that it belongs to the Reoclo instance at api_url.",
    ),
    403: Advice(
        "does not allow this to the key",
        f"Check {KEYS_PAGE}, that the key allows {{needs}}, and that its IP allowlist, if it has "
        "one, lets this runner in.",
    ),
    404: Advice(
        "does not know what the request names",
        "Check {inputs} against the Reoclo dashboard: an id is the UUID of something in the key's "
        "own tenant.",
    ),
    408: Advice("took too long", "Run the job again; if it stays so, ask Reoclo's support."),
    409: Advice(
        "cannot do this now",
        "Check in the Reoclo dashboard that the server's runner agent is online, then run the "
        "job again.",
    ),
    422: Advice(
        "does not understand a field of the request",
        "Correct the input that is named; ids ({inputs}) are UUIDs from the Reoclo dashboard.",
    ),
    425: Advice(
        "is not ready for the request yet",
        "Run the job again; if it stays so, ask Reoclo's support.",
    ),
    429: Advice(
        "has had too many requests with this key",
        f"Raise the key's rate limit {KEYS_PAGE}, or run fewer jobs at once with one key; a login "
        "can be given a longer timeout, too.",
    ),
}

REDIRECT = Advice(
    "sends the request to another address, where the key must not follow",
    "Check api_url: give the address of the Reoclo API itself, with https.",
)
CLIENT_ERROR = Advice(
    "refuses the request",
    "Check that api_url is the address of the Reoclo API, and that this version of the action "
    "is not out of date.",
)
SERVER_ERROR = Advice(
    "has a problem of its own",
    "Run the job again in a few minutes; if it stays so, ask Reoclo's support.",
)

# What to do where there is no answer at all.
UNREACHABLE = (
    "Check api_url, and that this runner may reach it (firewall, proxy, DNS), then run the job "
    "again."
)
BAD_PROXY = (
    "Give HTTPS_PROXY on the runner an address such as http://proxy.example.com:3128, with user "
    "name and password if the proxy asks for them, or add the API's host to NO_PROXY."
)
MALFORMED = (
    "Check api_url, and HTTPS_PROXY on the runner if it is set: in a proxy's user name and "
    "password, #, / and @ are written %23, %2F and %40."
)
_OUT_OF_TIME = "Check the runner's clock, or have the certificate of the Reoclo API renewed."
_ANOTHER_NAME = "Check the host in api_url: the certificate is for another name."
# What OpenSSL and the systems say of a certificate, and what to do. The first that fits is told.
CERTIFICATE_ADVICE = {
    "expired": _OUT_OF_TIME,
    "not yet valid": _OUT_OF_TIME,
    "validity period": _OUT_OF_TIME,
    "mismatch": _ANOTHER_NAME,
    "not match": _ANOTHER_NAME,
}
CERTIFICATE_UNKNOWN = (
    "Check api_url. If your network or instance has a CA of its own, add it to the runner's "
    "trust store, or set SSL_CERT_FILE, REQUESTS_CA_BUNDLE or NODE_EXTRA_CA_CERTS to a file "
    "with its certificate."
)
# What to do where the answer is somebody else's.
NOT_THE_API = (
    "Check that api_url is the address of the Reoclo API, and that no proxy or login page "
    "answers in its place."
)
# What to do where the answer is that the operation still goes on.
UNFINISHED = (
    "Check in the Reoclo dashboard that the server's runner agent is online; if logins there "
    "take this long, give the action a longer timeout."
)

# What docker says when a login fails, and what that means. The first that fits is told.
# `{credential}` stands for where user name, password and registry come from.
DOCKER_ADVICE = {
    "cannot connect to the docker daemon": (
        "Start docker on the server, and let the user of Reoclo's runner agent use it."
    ),
    "permission denied while trying to connect": (
        "Let the user of Reoclo's runner agent use docker: add it to the server's group docker."
    ),
    "permission denied": (
        "Let the user of Reoclo's runner agent write docker's configuration on the server."
    ),
    "no such host": (
        "The server cannot resolve the registry's name: check the registry's address in "
        "{credential}, and the server's DNS."
    ),
    "x509": (
        "The server does not trust the registry's certificate: add the registry's CA to docker "
        "on the server."
    ),
    "toomanyrequests": (
        "The registry limits how often one may log in: wait, or log in less often."
    ),
    "unauthorized": (
        "The registry does not accept the user name and password: correct them in {credential}."
    ),
    "denied": (
        "The registry refuses the user or the token: it is wrong, has expired, or lacks the right "
        "to this registry. Correct it in {credential}."
    ),
}
DOCKER_UNKNOWN = (
    "Docker's own words are in the log above; check {credential}, and docker on the server."
)


# Docker keeps this login under another name, which only a logout without an address removes; with
# this address it says that it does, and does not (docker/cli, cli/command/registry/logout.go).
DOCKER_HUB = "docker.io"


def logout_by_hand(registry_url: str) -> str:
    """Give what takes a login off a server where this action cannot; docker keeps one per user.

    Args:
        registry_url: What the server is logged in to; empty if that is not known.
    """
    if registry_url == DOCKER_HUB:
        command = "`docker logout` (for Docker Hub without an address)"
    elif registry_url:
        command = f"`docker logout {registry_url}`"
    else:
        command = "`docker logout` with its registry"
    return f"run {command} on that server, as the user of Reoclo's runner agent"


def on_status(status: int) -> Advice:
    """Give what an HTTP status that is not success means to the user."""
    if status in STATUS_ADVICE:
        return STATUS_ADVICE[status]
    if 300 <= status < 400:
        return REDIRECT
    return CLIENT_ERROR if status < 500 else SERVER_ERROR


def on_docker(output: str) -> str:
    """Give what to do about a `docker login` that failed with this output."""
    return _first_that_fits(DOCKER_ADVICE, output, DOCKER_UNKNOWN)


def on_certificate(complaint: str) -> str:
    """Give what to do about a certificate that is not trusted for this reason."""
    return _first_that_fits(CERTIFICATE_ADVICE, complaint, CERTIFICATE_UNKNOWN)


def _first_that_fits(table: Mapping[str, str], text: str, otherwise: str) -> str:
    words = text.lower()
    return next((advice for sign, advice in table.items() if sign in words), otherwise)
