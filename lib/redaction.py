"""Secrets: what of one a runner is told to mask, and how one is taken out of a text.

A runner masks what it is told to, and some encodings of it; others, and other runners, mask
less. So nothing that we write has a secret in it to begin with.
"""

from __future__ import annotations

import json
import re
from binascii import b2a_base64
from collections.abc import Iterable
from urllib.parse import quote

from lib.text import without_escapes

# Shorter secrets are no secrets, and replacing them would garble every line.
_SHORTEST_SECRET = 4
# What an encoding leaves of a short secret may well stand in an innocent text.
_SHORTEST_SPELLING = 8
_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})
_URL_SAFE = str.maketrans("+/", "-_")


def secret_parts(secret: str) -> list[str]:
    """Give what must be masked for a secret: each line of it that is long enough."""
    stripped = (line.strip() for line in secret.splitlines())
    return [line for line in stripped if len(line) >= _SHORTEST_SECRET]


def maskable(secret: str) -> list[str]:
    """Split a line of a secret where it has `::`.

    act takes everything up to the last `::` of a line for the command's name, so that it would
    print the line that was to mask the secret (nektos/act, pkg/runner/command.go).
    """
    pieces = re.split(r"^:+|:{2,}", secret)
    return [piece for piece in pieces if len(piece) >= _SHORTEST_SECRET]


def spellings(secret: str) -> set[str]:
    """Give the forms in which a secret may come back: in JSON, a URL, HTML, base64 or as it is.

    In base64 the first and the last letters depend on what stands around a secret, so these
    are left out: three forms remain, by where its first byte falls.
    """
    raw = secret.encode("utf-8", "surrogatepass")
    aligned = (raw[start : start + (len(raw) - start) // 3 * 3] for start in range(3))
    base64 = [b2a_base64(part, newline=False).decode() for part in aligned]
    url = [quote(raw, safe=kept) for kept in ("", "/")]
    escaped = [json.dumps(secret)[1:-1], secret.translate(_HTML), *url, *base64]
    forms = {*escaped, *(form.translate(_URL_SAFE) for form in base64)}
    return {secret, *(form for form in forms if len(form) >= _SHORTEST_SPELLING)}


def scrub(text: str, secrets: Iterable[str]) -> str:
    """Replace every secret in a text by asterisks, even one with a terminal's colors in it."""
    text = without_escapes(text)
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text
