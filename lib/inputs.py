"""Parsing and validation of step inputs. Invalid input is rejected before any request."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from lib.api.models import LoginRequest, LogoutRequest, PassthroughLogin, VaultLogin
from lib.errors import InputError
from lib.formats import is_registry_url, is_uuid, normalize_api_url
from lib.hints import INVALID_INPUT, MISSING_INPUT, WHY_EMPTY, Hint
from lib.runner.environment import Environment

DEFAULT_API_URL = "https://api.reoclo.com"
DEFAULT_TIMEOUT_SECONDS = 300
LONGEST_TIMEOUT_SECONDS = 3600

# Reoclo's keys start with r, two or three letters, and an underscore, or with rk and a letter.
_REOCLO_KEY = re.compile(r"r(?:k_[a-z]|[a-z]{2,3})_.")
_UNUSABLE_KEYS = {
    "rk_t_": "an integration key (rk_t_), which Reoclo has retired",
    "rk_m_": "a machine user key (rk_m_)",
    "rds_": "a deploy session key (rds_)",
}
_PRINTABLE = re.compile(r"[!-~]+")
_TIMEOUT = re.compile(r"[0-9]{1,6}")
# The booleans of YAML 1.2.
_BOOLEANS = dict.fromkeys(("true", "True", "TRUE"), True) | dict.fromkeys(
    ("false", "False", "FALSE"), False
)

# The inputs of passthrough mode.
_PASSTHROUGH = ("username", "access_token", "registry_url")
_SET_ONE = (
    "Set credential_id to the UUID of a credential stored in Reoclo, or set all of username, "
    "access_token and registry_url."
)
_COMPOSITE_ON_GITEA = (
    " In a composite action, Gitea's runner sets an input that is not set here to the value of the "
    "composite's input of the same name: rename that input, or set this one to an empty string."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginInputs:
    """Validated inputs of a login. `timeout` is in seconds."""

    api_key: str = field(repr=False)
    request: LoginRequest
    cleanup: bool
    api_url: str
    timeout: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutInputs:
    """Validated inputs of the logout action."""

    api_key: str = field(repr=False)
    request: LogoutRequest
    api_url: str


def read_login_inputs(environment: Environment) -> LoginInputs:
    """Return the validated inputs of a login.

    Raises:
        InputError: names the first input that is missing or invalid, what was expected, and
            the usual cause. It never contains the value, which may be a secret.
    """
    try:
        return LoginInputs(
            api_key=_api_key(environment.input("api_key")),
            request=_login_request(environment),
            cleanup=_boolean(environment.input("cleanup"), "cleanup", default=True),
            api_url=read_api_url(environment),
            timeout=_timeout(environment.input("timeout")),
        )
    except InputError as error:
        raise _with_origin(error, environment) from error


def read_logout_inputs(environment: Environment) -> LogoutInputs:
    """Return the validated inputs of the logout action.

    Raises:
        InputError: as `read_login_inputs` does.
    """
    try:
        return LogoutInputs(
            api_key=_api_key(environment.input("api_key")),
            request=LogoutRequest(
                server_id=_server_id(environment),
                registry_url=_registry_url(environment.input("registry_url")),
            ),
            api_url=read_api_url(environment),
        )
    except InputError as error:
        raise _with_origin(error, environment) from error


def read_api_url(environment: Environment) -> str:
    """Return the validated API URL.

    Raises:
        InputError: the API key must not be sent to this URL.
    """
    try:
        return normalize_api_url(environment.input("api_url") or DEFAULT_API_URL)
    except ValueError as error:
        raise _invalid(
            "Input api_url is not a valid API URL",
            f"{error} Use an https URL like {DEFAULT_API_URL}; plain http is allowed for localhost "
            "only.",
        ) from error


def _with_origin(error: InputError, environment: Environment) -> InputError:
    """Return the error with where else an input's value can come from."""
    if not (environment.is_gitea() and environment.is_composite()):
        return error
    return replace(error, hint=error.hint._replace(text=error.hint.text + _COMPOSITE_ON_GITEA))


def _api_key(key: str) -> str:
    create = "Set it to an automation key (rca_…), which you create in Reoclo under API Keys."
    if not key:
        raise _missing("Input api_key is missing or empty", create)
    for prefix, kind in _UNUSABLE_KEYS.items():
        if key.startswith(prefix):
            raise _invalid(f"Input api_key is {kind}", create)
    if _REOCLO_KEY.match(key) is None:
        raise _invalid(
            "Input api_key is not a Reoclo automation key",
            f"{create} Check that the secret contains the key and nothing else.",
        )
    if _PRINTABLE.fullmatch(key) is None:
        raise _invalid(
            "Input api_key contains whitespace or unprintable characters",
            "Store the key in the secret again, on one line and without quotes.",
        )
    return key


def _login_request(environment: Environment) -> LoginRequest:
    """Return the request of the mode whose inputs are set, all of them and none of the other."""
    credential_id = environment.input("credential_id")
    passthrough = {name: environment.input(name) for name in _PASSTHROUGH}
    present = [name for name, value in passthrough.items() if value]
    server_id = _server_id(environment)
    if credential_id and present:
        raise _invalid(f"Inputs credential_id and {_list(present)} are both set", _SET_ONE)
    if credential_id:
        where = "Copy the credential's UUID from Registry Credentials in the Reoclo dashboard."
        return VaultLogin(
            server_id=server_id, credential_id=_uuid(credential_id, "credential_id", where)
        )
    if len(present) < len(_PASSTHROUGH):
        raise _incomplete(present)
    return _passthrough(server_id, passthrough)


def _incomplete(present: list[str]) -> InputError:
    """Return the error for inputs that name no credential, or only a part of one."""
    if not present:
        return _missing(
            "Input credential_id is missing or empty, and so are username, access_token and "
            "registry_url",
            _SET_ONE,
        )
    missing = [name for name in _PASSTHROUGH if name not in present]
    noun, verb = ("Input", "is") if len(missing) == 1 else ("Inputs", "are")
    return _missing(
        f"{noun} {_list(missing)} {verb} missing or empty, but {_list(present)} "
        f"{'is' if len(present) == 1 else 'are'} set",
        _SET_ONE,
    )


def _passthrough(server_id: str, values: dict[str, str]) -> PassthroughLogin:
    if not values["username"].isprintable():
        raise _invalid(
            "Input username contains unprintable characters", "Set the username on one line."
        )
    return PassthroughLogin(
        server_id=server_id,
        registry_url=_registry_url(values["registry_url"]),
        username=values["username"],
        access_token=values["access_token"],
    )


def _server_id(environment: Environment) -> str:
    where = "Copy the server's UUID from its page in the Reoclo dashboard."
    return _uuid(environment.input("server_id"), "server_id", where)


def _uuid(text: str, name: str, where: str) -> str:
    if not text:
        raise _missing(f"Input {name} is missing or empty", where)
    if not is_uuid(text):
        raise _invalid(f"Input {name} is not a valid UUID", where)
    return text


def _registry_url(text: str) -> str:
    example = "Set the registry's address, for example ghcr.io, or docker.io for Docker Hub."
    if not text:
        raise _missing("Input registry_url is missing or empty", example)
    if not is_registry_url(text):
        raise _invalid("Input registry_url is not a valid registry address", example)
    return text


def _boolean(text: str, name: str, *, default: bool) -> bool:
    if not text:
        return default
    if text not in _BOOLEANS:
        raise _invalid(f"Input {name} is not a boolean", f"Set {name} to true or false.")
    return _BOOLEANS[text]


def _timeout(text: str) -> int:
    if not text:
        return DEFAULT_TIMEOUT_SECONDS
    if _TIMEOUT.fullmatch(text) is None or not 1 <= int(text) <= LONGEST_TIMEOUT_SECONDS:
        raise _invalid(
            f"Input timeout is not a whole number of seconds from 1 to {LONGEST_TIMEOUT_SECONDS}",
            f"Set for example timeout: {DEFAULT_TIMEOUT_SECONDS}.",
        )
    return int(text)


def _list(names: Iterable[str]) -> str:
    return " and ".join(names)


def _invalid(summary: str, fix: str) -> InputError:
    return InputError(summary, hint=Hint(fix, INVALID_INPUT))


def _missing(summary: str, fix: str) -> InputError:
    return InputError(summary, hint=Hint(f"{fix} {WHY_EMPTY}", MISSING_INPUT))
