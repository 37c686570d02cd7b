"""Parsing and validation of step inputs. Invalid input is rejected before any request."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from lib.api.models import LoginRequest, LogoutRequest, PassthroughLogin, VaultLogin
from lib.errors import InputError
from lib.formats import is_registry_url, is_uuid, normalize_api_url
from lib.hints import INVALID_INPUT, MISSING_INPUT, WHY_EMPTY, Hint
from lib.runner.environment import Environment

DEFAULT_API_URL = "https://api.reoclo.com"
DEFAULT_TIMEOUT_SECONDS, LONGEST_TIMEOUT_SECONDS = 300, 3600

# Reoclo's keys start with r, two or three letters, and an underscore, or with rk and a letter.
_REOCLO_KEY = re.compile(r"r(?:k_[a-z]|[a-z]{2,3})_.")
_UNUSABLE_KEYS = {
    "rk_t_": "an integration key (rk_t_), which Reoclo has retired",
    "rk_m_": "a machine user key (rk_m_)",
    "rds_": "a deploy session key (rds_)",
}
_PRINTABLE, _TIMEOUT = re.compile(r"[!-~]+"), re.compile(r"[0-9]{1,6}")
# The booleans of YAML 1.2. Empty is the default.
_CLEANUP = {"": True, "true": True, "True": True, "TRUE": True}
_CLEANUP |= {"false": False, "False": False, "FALSE": False}

_PASSTHROUGH = ("username", "access_token", "registry_url")  # the inputs of passthrough mode
_WHERE = {
    "server_id": "the server's UUID from its page",
    "credential_id": "the credential's UUID from Registry Credentials",
}
_SET_ONE = (
    "Set credential_id to the UUID of a credential stored in Reoclo, or set all of username, "
    "access_token, and registry_url."
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
    """Return the valid inputs, or raise an `InputError` without any value: it may be a secret."""
    return LoginInputs(
        api_key=_api_key(environment.input("api_key")),
        request=_login_request(environment),
        cleanup=_cleanup(environment.input("cleanup")),
        api_url=read_api_url(environment),
        timeout=_timeout(environment.input("timeout")),
    )


def read_logout_inputs(environment: Environment) -> LogoutInputs:
    """Return the validated inputs of the logout action. Raises as `read_login_inputs`."""
    key, server_id = _api_key(environment.input("api_key")), _uuid(environment, "server_id")
    request = LogoutRequest(server_id=server_id, registry_url=_registry_url(environment))
    return LogoutInputs(api_key=key, request=request, api_url=read_api_url(environment))


def read_api_url(environment: Environment) -> str:
    """Return the API URL, or raise `InputError` if the API key must not be sent there."""
    try:
        return normalize_api_url(environment.input("api_url") or DEFAULT_API_URL)
    except ValueError as error:
        fix = f"Use an https URL like {DEFAULT_API_URL}; plain http is allowed for localhost only."
        raise _invalid("Input api_url is not a valid API URL", f"{error} {fix}") from error


def _api_key(key: str) -> str:
    create = "Set it to an automation key (rca_…) from API Keys > Automation Keys in Reoclo."
    if not key:
        raise _missing("Input api_key is missing or empty", create)
    for prefix, kind in _UNUSABLE_KEYS.items():
        if key.startswith(prefix):
            raise _invalid(f"Input api_key is {kind}", create)
    if _REOCLO_KEY.match(key) is None:
        fix = f"{create} Check that the secret contains the key and nothing else."
        raise _invalid("Input api_key is not a Reoclo automation key", fix)
    if _PRINTABLE.fullmatch(key) is None:
        fix = "Store the key in the secret again, on one line and without quotes."
        raise _invalid("Input api_key contains whitespace or non-printable characters", fix)
    return key


def _login_request(environment: Environment) -> LoginRequest:
    """Return the request of the mode whose inputs are set, all of them and none of the other."""
    server_id = _uuid(environment, "server_id")
    present = [name for name in _PASSTHROUGH if environment.input(name)]
    if environment.input("credential_id"):
        if present:
            others = _list(present, "or")
            raise _invalid(f"Input credential_id cannot be combined with {others}", _SET_ONE)
        return VaultLogin(server_id=server_id, credential_id=_uuid(environment, "credential_id"))
    if len(present) < len(_PASSTHROUGH):
        raise _incomplete(present)
    username, access_token = environment.input("username"), environment.input("access_token")
    if not username.isprintable():
        fix = "Set the username on one line."
        raise _invalid("Input username contains non-printable characters", fix)
    credential = {"username": username, "access_token": access_token}
    registry_url = _registry_url(environment)
    return PassthroughLogin(server_id=server_id, registry_url=registry_url, **credential)


def _incomplete(present: list[str]) -> InputError:
    if not present:
        return _missing("Input credential_id is missing or empty", _SET_ONE)
    missing = [name for name in _PASSTHROUGH if name not in present]
    noun, verb = ("Input", "is") if len(missing) == 1 else ("Inputs", "are")
    summary = f"{noun} {_list(missing, 'and')} {verb} missing or empty, but "
    summary += f"{_list(present, 'and')} {'is' if len(present) == 1 else 'are'} set"
    return _missing(summary, "Set all three of them, or only credential_id.")


def _list(names: Sequence[str], word: str) -> str:
    *others, last = names
    comma = "," if len(names) > 2 else ""
    return f"{', '.join(others)}{comma} {word} {last}" if others else last


def _uuid(environment: Environment, name: str) -> str:
    fix = f"Copy {_WHERE[name]} in the Reoclo dashboard."
    return _valid(environment, name, fix, "UUID", is_uuid)


def _registry_url(environment: Environment) -> str:
    example = "Set the registry's address, for example ghcr.io, or docker.io for Docker Hub."
    return _valid(environment, "registry_url", example, "registry address", is_registry_url)


def _valid(
    env: Environment, name: str, fix: str, kind: str, is_valid: Callable[[str], bool]
) -> str:
    text = env.input(name)
    if not text:
        raise _missing(f"Input {name} is missing or empty", fix)
    if not is_valid(text):
        raise _invalid(f"Input {name} is not a valid {kind}", fix)
    return text


def _cleanup(text: str) -> bool:
    if text not in _CLEANUP:
        raise _invalid("Input cleanup is not a boolean", "Set cleanup to true or false.")
    return _CLEANUP[text]


def _timeout(text: str) -> int:
    text = text or str(DEFAULT_TIMEOUT_SECONDS)
    if _TIMEOUT.fullmatch(text) is None or not 1 <= int(text) <= LONGEST_TIMEOUT_SECONDS:
        kind = f"a whole number of seconds from 1 to {LONGEST_TIMEOUT_SECONDS}"
        example = f"For example, set timeout: {DEFAULT_TIMEOUT_SECONDS}."
        raise _invalid(f"Input timeout is not {kind}", example)
    return int(text)


def _invalid(summary: str, fix: str) -> InputError:
    return InputError(summary, hint=Hint(fix, INVALID_INPUT))


def _missing(summary: str, fix: str) -> InputError:
    return InputError(summary, hint=Hint(f"{fix} {WHY_EMPTY}", MISSING_INPUT))
