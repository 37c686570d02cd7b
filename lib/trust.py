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


def open_context(ca_paths: Mapping[str, str], tell: Callable[[str], None]) -> ssl.SSLContext:
    """Make the context for TLS connections to the API.

    Args:
        ca_paths: Files and folders with more certificates, by the variable that names each.
        tell: Told of each that cannot be used, which is then left out: a certificate that
            needs it fails later, and one that does not need not fail.
    """
    context = SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for variable, path in ca_paths.items():
        kind = "capath" if Path(path).is_dir() else "cafile"
        try:
            context.load_verify_locations(**{kind: path})
        except OSError as error:
            tell(f"{variable} is left out: {path} cannot be used ({_reason(error)}).")
    return context


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return "no certificate can be read from it"
    return (error.strerror or "it cannot be read").lower()
