"""The rules for the inputs of both actions. What breaks one is refused before any request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from lib.environment import Environment
from lib.errors import InputError
from lib.models import (
    LoginRequest,
    LogoutRequest,
    PassthroughLogin,
    VaultLogin,
    is_registry_url,
)

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

# The inputs of the mode in which the workflow itself hands the credential through.
_PASSTHROUGH = ("username", "access_token", "registry_url")
_GIVE_ONE = (
    "Give credential_id, the UUID of a credential that is stored in Reoclo, or instead of it all "
    "three of username, access_token and registry_url."
)
_FROM_THE_COMPOSITE = (
    " Inside a composite action Gitea's runner gives an input that is not set here the value of "
    "the composite's input of the same name: rename that input, or set this one to an empty text."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The inputs of a login, checked. `timeout` is in seconds."""

    api_key: str = field(repr=False)
    login: LoginRequest
    cleanup: bool
    api_url: str
    timeout: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutInputs:
    """The inputs of the action that only logs out, checked."""

    api_key: str = field(repr=False)
    logout: LogoutRequest
    api_url: str


def read_inputs(environment: Environment) -> Inputs:
    """Read and check every input.

    Raises:
        InputError: names the first input that is missing or malformed, what was expected,
            and the usual cause. It never shows the value, which may be a secret.
    """
    with _explained(environment):
        return Inputs(
            api_key=_api_key(environment.input("api_key")),
            login=_login(environment),
            cleanup=_boolean(environment.input("cleanup"), "cleanup", default=True),
            api_url=check_api_url(environment.input("api_url") or DEFAULT_API_URL),
            timeout=_timeout(environment.input("timeout")),
        )


def read_logout_inputs(environment: Environment) -> LogoutInputs:
    """Read and check every input of the action that only logs out.

    Raises:
        InputError: as `read_inputs` does.
    """
    with _explained(environment):
        return LogoutInputs(
            api_key=_api_key(environment.input("api_key")),
            logout=LogoutRequest(
                server_id=_server_id(environment.input("server_id")),
                registry_url=_registry_url(environment.input("registry_url")),
            ),
            api_url=check_api_url(environment.input("api_url") or DEFAULT_API_URL),
        )


@contextmanager
def _explained(environment: Environment) -> Iterator[None]:
    """Add to an error where else an input's value may come from."""
    try:
        yield
    except InputError as error:
        if environment.is_gitea() and environment.is_composite():
            error.remedy += _FROM_THE_COMPOSITE
        raise


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


def _login(environment: Environment) -> LoginRequest:
    """Read the inputs of the one mode that is given, and refuse none, both and halves."""
    credential_id = environment.input("credential_id")
    given = {name: environment.input(name) for name in _PASSTHROUGH if environment.input(name)}
    server_id = _server_id(environment.input("server_id"))
    if credential_id and given:
        raise InputError(
            f"The inputs name two credentials: credential_id and {_listed(given)}",
            remedy=f"{_GIVE_ONE} Not both.",
        )
    if credential_id:
        return VaultLogin(server_id=server_id, credential_id=_credential_id(credential_id))
    if not given:
        raise InputError(
            "The inputs name no credential: credential_id is missing or empty, and so are "
            "username, access_token and registry_url",
            remedy=f"{_GIVE_ONE} {_WHY_EMPTY}",
        )
    return _passthrough(server_id, given)


def _passthrough(server_id: str, given: dict[str, str]) -> PassthroughLogin:
    missing = [name for name in _PASSTHROUGH if name not in given]
    if missing:
        subject, verb = ("input", "is") if len(missing) == 1 else ("inputs", "are")
        raise InputError(
            f"The {subject} {_listed(missing)} {verb} missing or empty, "
            f"with {_listed(given)} given",
            remedy=f"{_GIVE_ONE} {_WHY_EMPTY}",
        )
    if not given["username"].isprintable():
        raise InputError(
            "The input username has unprintable characters inside it",
            remedy="Give the user name on one line.",
        )
    return PassthroughLogin(
        server_id=server_id,
        registry_url=_registry_url(given["registry_url"]),
        username=given["username"],
        access_token=given["access_token"],
    )


def _listed(names: Iterable[str]) -> str:
    return " and ".join(names)


def _server_id(text: str) -> str:
    where = "Copy the server's UUID from its page in the Reoclo dashboard."
    return _uuid(text, "server_id", where)


def _credential_id(text: str) -> str:
    where = "Copy the UUID from the credential's page under Registry Credentials in the dashboard."
    return _uuid(text, "credential_id", where)


def _registry_url(text: str) -> str:
    where = "Give the registry's address, such as ghcr.io, or docker.io for Docker Hub."
    if not text:
        raise InputError("The input registry_url is missing or empty", remedy=where)
    if not is_registry_url(text):
        raise InputError("The input registry_url is not the address of a registry", remedy=where)
    return text


def is_uuid(text: str) -> bool:
    """Tell whether a text may stand for a server or a credential."""
    return _UUID.fullmatch(text) is not None


def _uuid(text: str, name: str, where: str) -> str:
    if not text:
        raise InputError(f"The input {name} is missing or empty", remedy=f"{where} {_WHY_EMPTY}")
    if not is_uuid(text):
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
