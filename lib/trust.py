"""Whom TLS trusts. The only module that imports `truststore`.

Four sources, added up: the system's trust store, asked in the system's own way (OpenSSL's or
the distribution's files on Linux, the keychain on macOS, the certificate stores on Windows);
the certificates of certifi, which `lib.transport` adds; and the files that the environment
names. A variable can add to whom is trusted. None can take the check itself away.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from pathlib import Path

from truststore import SSLContext

from lib.text import quote


def open_context(ca_paths: Mapping[str, str], tell: Callable[[str], None]) -> ssl.SSLContext:
    """Make the context for TLS connections to the API.

    Args:
        ca_paths: Files and folders with more certificates, by the variable that names each.
        tell: Told of each that cannot be used, which is then left out: a certificate that
            needs it fails later, and one that does not need not fail.
    """
    context = SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca_paths:
        _add_system(context)
    for variable, path in ca_paths.items():
        reason = _add(context, path)
        if reason:
            tell(f"{variable} is left out: {quote(path, 100)} cannot be used ({reason}).")
    return context


def _add_system(context: ssl.SSLContext) -> None:
    """Add what OpenSSL trusts by itself, which SSL_CERT_FILE would replace."""
    defaults = ssl.get_default_verify_paths()
    for path in (defaults.openssl_cafile, defaults.openssl_capath):
        _add(context, path)  # not every system has both


def _add(context: ssl.SSLContext, path: str) -> str:
    """Add the certificates of a file or a folder, or say why that is not possible."""
    try:
        kind = "capath" if Path(path).is_dir() else "cafile"
        context.load_verify_locations(**{kind: path})
    except OSError as error:
        return _reason(error)
    return ""


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return "no certificate can be read from it"
    return (error.strerror or "it cannot be read").lower()
