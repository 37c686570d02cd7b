"""TLS trust: that of the system, of certifi, and of the files that the environment names.

The only module that imports `truststore`, which reads the system's trust store as the system does.
requests and `lib.api.connection` add certifi. A variable adds trust; none turns verification off.
"""

import platform
import ssl
import sys
from collections.abc import Callable, Mapping
from pathlib import Path


def create_context(ca_paths: Mapping[str, str], log: Callable[[str], None]) -> ssl.SSLContext:
    """Return the context for TLS connections to the API.

    A path that cannot be used is logged and skipped: a certificate that needs it fails later.
    """
    if sys.platform == "win32":
        # truststore requests the system's name when it is imported. Python queries WMI for it,
        # which can take 10 s (python/cpython#112278) or crash (#125315).
        platform.system = lambda: "Windows"
    from truststore import SSLContext  # noqa: PLC0415

    context = SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca_paths:
        # What OpenSSL trusts by default, which SSL_CERT_FILE would replace. Some have only one.
        defaults = ssl.get_default_verify_paths()
        for path in (defaults.openssl_cafile, defaults.openssl_capath):
            _add(context, path)
    for variable, path in ca_paths.items():
        if reason := _add(context, path):
            log(f"Ignoring {variable}: cannot use {path} ({reason}).")
    return context


def _add(context: ssl.SSLContext, path: str) -> str:
    """Add the certificates of a file or a folder, or return why that failed."""
    try:
        kind = "capath" if Path(path).is_dir() else "cafile"
        context.load_verify_locations(**{kind: path})
    except ssl.SSLError:
        return "it contains no readable certificate"
    except OSError as error:
        return (error.strerror or "it cannot be read").lower().rstrip(".")
    return ""
