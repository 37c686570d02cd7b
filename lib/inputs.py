"""The rules for the action's inputs. What breaks one is refused before any request."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from lib.environment import Environment
from lib.errors import InputError

DEFAULT_API_URL = "https://api.reoclo.com"
DEFAULT_TIMEOUT_SECONDS = 300
LONGEST_TIMEOUT_SECONDS = 3600

_KEY_PREFIXES = ("rca_", "rk_a_")
_INTEGRATION_KEY_PREFIX = "rk_t_"
_KEY = re.compile(r"[!-~]+")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# The characters of a URL (RFC 3986); no control character or white space is among them.
_URL = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
_TIMEOUT = re.compile(r"[0-9]{1,6}")
# YAML 1.2's booleans; "" is what a runner gives for an input that is not set.
_BOOLEANS = dict.fromkeys(("true", "True", "TRUE"), True) | dict.fromkeys(
    ("false", "False", "FALSE"), False
)

_WHY_EMPTY = (
    "If it is set, the secret or variable behind it is empty: secrets are not given to "
    "workflows of forks and of Dependabot, an environment's only to jobs that name it, and "
    "a reusable workflow's only with `secrets: inherit`."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The inputs of the step, checked. `timeout` is in seconds."""

    api_key: str = field(repr=False)
    server_id: str
    credential_id: str
    cleanup: bool
    api_url: str
    timeout: int


def read_inputs(environment: Environment) -> Inputs:
    """Read and check every input.

    Raises:
        InputError: names the first input that is missing or malformed, what was expected,
            and the usual cause. It never shows the value, which may be a secret.
    """
    return Inputs(
        api_key=_api_key(environment.input("api_key")),
        server_id=_uuid(
            environment.input("server_id"),
            "server_id",
            "Copy the server's UUID from its page in the Reoclo dashboard.",
        ),
        credential_id=_uuid(
            environment.input("credential_id"),
            "credential_id",
            "Copy the UUID from the credential's page under Registry Credentials in the Reoclo "
            "dashboard.",
        ),
        cleanup=_boolean(environment.input("cleanup"), "cleanup", default=True),
        api_url=check_api_url(environment.input("api_url") or DEFAULT_API_URL),
        timeout=_timeout(environment.input("timeout")),
    )


def check_api_url(text: str) -> str:
    """Check the address of the API, and give it without slashes at its end.

    Args:
        text: An https URL, or an http one of this machine; it may have a path.

    Raises:
        InputError: the key must not be sent to such an address.
    """
    url = _split(text)
    if url.username is not None or url.password is not None:
        raise _bad_api_url("It has a user name or password in it.")
    if url.query or url.fragment or text.endswith(("?", "#")):
        raise _bad_api_url("It has a query or a fragment in it.")
    if url.scheme == "http" and not _is_loopback(url.hostname or ""):
        raise _bad_api_url("It is plain http, which would show the key to the network.")
    if url.scheme not in {"http", "https"}:
        raise _bad_api_url("It does not begin with https://.")
    return text.rstrip("/")


def _split(text: str) -> SplitResult:
    """Split a URL that has a host, and a port only if it is a number."""
    if _URL.fullmatch(text) is None:
        raise _bad_api_url("It has characters in it that no URL has.")
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError:
        raise _bad_api_url("Its host or port is malformed.") from None
    if not url.hostname:
        raise _bad_api_url("It does not begin with https:// and a host.")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return host.lower() == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _bad_api_url(found: str) -> InputError:
    return InputError(
        "The input api_url is not an address the key may be sent to",
        remedy=f"{found} Give an https URL such as {DEFAULT_API_URL}; plain http is for "
        "localhost only.",
    )


def _api_key(text: str) -> str:
    where = "Give an automation key (it begins with rca_), made in Reoclo under API Keys."
    if not text:
        raise InputError("The input api_key is missing or empty", remedy=f"{where} {_WHY_EMPTY}")
    if text.startswith(_INTEGRATION_KEY_PREFIX):
        raise InputError("The input api_key is an integration key (rk_t_)", remedy=where)
    if not text.startswith(_KEY_PREFIXES):
        raise InputError(
            "The input api_key is not a Reoclo automation key",
            remedy=f"{where} Check that the secret holds the key and nothing else.",
        )
    if _KEY.fullmatch(text) is None:
        raise InputError(
            "The input api_key has white space or unprintable characters inside it",
            remedy="Store the key in the secret again, on one line and without quotes.",
        )
    return text


def _uuid(text: str, name: str, where: str) -> str:
    if not text:
        raise InputError(f"The input {name} is missing or empty", remedy=f"{where} {_WHY_EMPTY}")
    if _UUID.fullmatch(text) is None:
        raise InputError(
            f"The input {name} is not a UUID such as 123e4567-e89b-12d3-a456-426614174000",
            remedy=where,
        )
    return text


def _boolean(text: str, name: str, *, default: bool) -> bool:
    if not text:
        return default
    if text not in _BOOLEANS:
        raise InputError(
            f"The input {name} is neither true nor false",
            remedy=f"Give {name}: true or {name}: false.",
        )
    return _BOOLEANS[text]


def _timeout(text: str) -> int:
    if not text:
        return DEFAULT_TIMEOUT_SECONDS
    if _TIMEOUT.fullmatch(text) is None or not 1 <= int(text) <= LONGEST_TIMEOUT_SECONDS:
        raise InputError(
            "The input timeout is not a whole number of seconds from "
            f"1 to {LONGEST_TIMEOUT_SECONDS}",
            remedy=f"Give for example timeout: {DEFAULT_TIMEOUT_SECONDS}.",
        )
    return int(text)
