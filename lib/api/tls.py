"""TLS trust. The only module that imports `truststore`.

Four sources together: the system's trust store as the system itself reads it (OpenSSL's or the
distribution's files on Linux, the keychain on macOS, the certificate stores on Windows), the
certificates of certifi, which `lib.api.connection` and requests add, and the files that the
environment names. A variable can add trust. None can turn verification off.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from pathlib import Path


def create_context(ca_paths: Mapping[str, str], log: Callable[[str], None]) -> ssl.SSLContext:
    """Return the context for TLS connections to the API.

    Args:
        ca_paths: Files and folders with additional CA certificates, by variable.
        log: Writes a line about each that cannot be used. It is skipped: a certificate that
            needs it fails later, and one that does not must not fail.
    """
    from truststore import SSLContext  # noqa: PLC0415

    context = SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca_paths:
        _add_system(context)
    for variable, path in ca_paths.items():
        reason = _add(context, path)
        if reason:
            log(f"Ignoring {variable}: cannot use {path} ({reason}).")
    return context


def _add_system(context: ssl.SSLContext) -> None:
    """Add what OpenSSL trusts by default, which SSL_CERT_FILE would replace."""
    defaults = ssl.get_default_verify_paths()
    for path in (defaults.openssl_cafile, defaults.openssl_capath):
        _add(context, path)  # not every system has both


def _add(context: ssl.SSLContext, path: str) -> str:
    """Add the certificates of a file or a folder, or return why that failed."""
    try:
        kind = "capath" if Path(path).is_dir() else "cafile"
        context.load_verify_locations(**{kind: path})
    except OSError as error:
        return _reason(error)
    return ""


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return "it contains no readable certificate"
    return (error.strerror or "it cannot be read").lower().rstrip(".")
