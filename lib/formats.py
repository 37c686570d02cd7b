"""Formats of ids, registry addresses and API URLs, wherever they come from.

Values that fit are safe in a URL path, a command file and a log line.
"""

import re
from collections.abc import Callable
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

BASE_PATH = "/api/automation/v1"

# The characters of a URL (RFC 3986). Control characters and whitespace are not among them.
_URL = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
_LONGEST_SERVER_NAME = 100


def _format(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: compiled.fullmatch(text) is not None


is_uuid = _format(r"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
is_operation_id = _format(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
is_registry_url = _format(r"[A-Za-z0-9\[][A-Za-z0-9.:/_\[\]~-]{0,511}")
is_registry_type = _format(r"[A-Za-z0-9_-]{1,64}")
is_status = _format(r"[A-Za-z0-9_-]{1,40}")


def is_server_name(text: str) -> bool:
    """Return whether the text is a name that fits on a log line."""
    return 0 < len(text) <= _LONGEST_SERVER_NAME and text.isprintable()


def normalize_api_url(text: str) -> str:
    """Return an API URL without trailing slashes, or raise ValueError with why it is not safe."""
    url = _split(text)
    if url.username is not None:
        raise ValueError("The URL contains a username or password.")
    if url.query or url.fragment or text.endswith(("?", "#")):
        raise ValueError("The URL contains a query or a fragment.")
    if url.scheme == "http" and not _is_loopback(url.hostname or ""):
        raise ValueError("Plain http would expose the API key to the network.")
    if url.path.rstrip("/").endswith(BASE_PATH):
        raise ValueError(f"Leave out {BASE_PATH}: the action appends it.")
    return text.rstrip("/")


def _split(text: str) -> SplitResult:
    if _URL.fullmatch(text) is None:
        raise ValueError("The URL contains invalid characters.")
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError:
        raise ValueError("The host or port is malformed.") from None
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise ValueError("The URL does not start with https:// and a host.")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return host.lower() == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
