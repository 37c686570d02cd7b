"""Redaction of secrets in everything that the action writes: runners mask only some forms."""

import json
import re
from binascii import b2a_base64
from collections.abc import Iterable
from urllib.parse import quote

from lib.runner.sanitize import strip_escapes

_SHORTEST_SECRET = 4  # replacing shorter strings would garble every line
_SHORTEST_ENCODED_FORM = 8  # a shorter one can occur in unrelated text
_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})
_URL_SAFE = str.maketrans("+/", "-_")


def secret_lines(secret: str) -> list[str]:
    """Return the lines of a secret that must be masked: each one that is long enough."""
    stripped = (line.strip() for line in secret.splitlines())
    return [line for line in stripped if len(line) >= _SHORTEST_SECRET]


def split_for_act(secret: str) -> list[str]:
    """Split a line of a secret at `::`.

    act takes all up to a line's last `::` as the command's name, and would print the line that
    should mask the secret (nektos/act, pkg/runner/command.go).
    """
    pieces = re.split(r"^:+|:{2,}", secret)
    return [piece for piece in pieces if len(piece) >= _SHORTEST_SECRET]


def encoded_forms(secret: str) -> set[str]:
    """Return a secret as plain text, JSON, URL, HTML and base64."""
    # In base64 the first and last characters depend on the surrounding text, so they are left
    # out; the alignment of the secret's first byte leaves three forms.
    raw = secret.encode("utf-8", "surrogatepass")
    aligned = (raw[start : start + (len(raw) - start) // 3 * 3] for start in range(3))
    base64 = [b2a_base64(part, newline=False).decode() for part in aligned]
    url = [quote(raw, safe=safe) for safe in ("", "/")]
    escaped = [json.dumps(secret)[1:-1], secret.translate(_HTML), *url, *base64]
    forms = {*escaped, *(form.translate(_URL_SAFE) for form in base64)}
    return {secret, *(form for form in forms if len(form) >= _SHORTEST_ENCODED_FORM)}


def redact(text: str, forms: Iterable[str]) -> str:
    """Replace the forms of secrets in a text by `***`, even one with ANSI escapes in it."""
    text = strip_escapes(text)
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, "***")
    return text
