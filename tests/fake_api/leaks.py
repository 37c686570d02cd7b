"""Looks for what must not be in a recording: secrets, and what looks like one."""

from __future__ import annotations

import base64
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

_LOOKS = {
    "a key of Reoclo": r"\b(?:rca|rk_[a-z])_\w",
    "an Authorization header": r"(?i)\b(?:bearer|basic)\s+[\w.~+/=-]{4,}|authorization\s*[:=]",
    "a JSON web token": r"\beyJ[\w-]{6,}\.",
    "a token of GitHub": r"\b(?:gh[opsur]_|github_pat_)\w{4,}",
    "a token of GitLab, Docker, Slack or PyPI": r"\b(?:glpat-|dckr_[a-z]+_|xox[a-z]-|pypi-)\w{4,}",
    "a key of AWS": r"\b(?:AKIA|ASIA)[A-Z0-9]{8,}",
    "a private key": r"-----BEGIN",
    "a password in an address": r"://[^\s/@:]*:[^\s/@]+@",
}
# What is long, has digits and letters, and looks like chance.
_LONG = re.compile(r"[\w+/=-]{20,}")
_CHANCE_BITS = 3.5
# Paths of the API look like chance as well; what stands in their places is looked at by itself.
_PATH = re.compile(
    r"/api/automation/v1/(?:registry-auth|operations)/(?:log(?:in|out)(?:-direct)?\b)?"
)


def find(data: Any, secrets: Iterable[str], private: Iterable[str]) -> list[str]:
    """Look through a recording.

    Args:
        data: Its JSON.
        secrets: What was sent as a key, token or password.
        private: What tells whose it was: ids and hosts.

    Returns:
        For each place with something in it, where it is and what it looks like; never the text.
    """
    known = {form: "a secret that was sent" for secret in secrets for form in _forms(secret)}
    known |= {text.lower(): "an id or a host of the original" for text in private if text}
    return [f"{place}: {what}" for place, text in _texts(data, "$") for what in _signs(text, known)]


def _signs(text: str, known: dict[str, str]) -> Iterator[str]:
    lowered = text.lower()
    yield from sorted({what for form, what in known.items() if form in lowered})
    yield from (what for what, look in _LOOKS.items() if re.search(look, text))
    if any(_looks_like_chance(word) for word in _LONG.findall(_PATH.sub(" ", text))):
        yield "a long text that looks like chance, as keys do"


def _looks_like_chance(word: str) -> bool:
    counts = Counter(word)
    bits = -sum(count / len(word) * math.log2(count / len(word)) for count in counts.values())
    has_both = re.search(r"\d", word) and re.search(r"[A-Za-z]", word)
    return bool(has_both) and bits > _CHANCE_BITS


def _forms(secret: str) -> Iterator[str]:
    """Give what a secret may look like, in lower case; nothing for one that is empty."""
    for line in filter(None, {secret, *secret.splitlines()}):
        raw = line.encode()
        for start in range(min(3, len(raw))):
            # Without the last characters, which depend on what follows.
            yield base64.b64encode(raw[start:]).decode().rstrip("=")[:-1].lower()
            yield base64.urlsafe_b64encode(raw[start:]).decode().rstrip("=")[:-1].lower()
        yield from (line.lower(), line[::-1].lower(), raw.hex(), quote(line, safe="").lower())
        yield json.dumps(line)[1:-1].lower()


def _texts(data: Any, place: str) -> Iterator[tuple[str, str]]:
    """Give every text of some JSON, names of fields too, with its place."""
    if isinstance(data, dict):
        for name, value in data.items():
            yield place, name
            yield from _texts(value, f"{place}.{name}")
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from _texts(value, f"{place}[{number}]")
    elif isinstance(data, str):
        yield place, data
