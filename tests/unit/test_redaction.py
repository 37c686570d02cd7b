"""What of a secret is masked, and how one is taken out of a text."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable

import pytest

from lib.redaction import maskable, scrub, secret_parts, spellings
from lib.text import plain


def test_each_line_of_a_secret_is_masked() -> None:
    """A runner masks by lines; lines too short to be secret would garble the log."""
    assert secret_parts("first-line\r\n  second-line \nab\n\n") == ["first-line", "second-line"]
    assert secret_parts("") == []


def test_secrets_are_replaced_wherever_they_are() -> None:
    """Every place, and the longer of two secrets first."""
    told = scrub("a rca_1 b rca_12 c rca_1", ["rca_1", "rca_12"])
    assert told == "a *** b *** c ***"


@pytest.mark.parametrize(
    ("secret", "pieces"),
    [
        ("rca_plain", ["rca_plain"]),
        ("rca_one:two", ["rca_one:two"]),
        ("rca_one::two2", ["rca_one", "two2"]),
        (":rca_one:", ["rca_one:"]),
        ("::::", []),
        ("rca_one::two", ["rca_one"]),
    ],
)
def test_a_secret_is_masked_in_pieces_without_two_colons(secret: str, pieces: list[str]) -> None:
    """No piece has `::` in it or begins with a colon; those too short would garble the log."""
    assert maskable(secret) == pieces


@pytest.mark.parametrize("before", ["", "x", "xy", "xyz"])
@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
def test_a_secret_in_base64_is_known_wherever_it_begins(
    before: str, encode: Callable[[bytes], bytes]
) -> None:
    """Of the encoded secret no more than the letters at its ends is left."""
    secret = "rca_~~~???>>>0123456789"
    encoded = encode(f"{before}{secret} and more".encode()).decode()
    whole = encode(secret.encode()).decode()
    told = scrub(encoded, spellings(secret))
    assert "***" in told
    assert not any(whole[at : at + 8] in told for at in range(len(whole) - 8))


def test_a_short_spelling_of_a_secret_is_none() -> None:
    """What base64 makes of a short secret may stand in any text."""
    assert spellings("rca_x") == {"rca_x"}


def test_a_secret_with_colors_in_it_is_replaced() -> None:
    """Escapes are taken out before secrets are looked for, and leave no new ones behind."""
    for colored in ("rca_\x1b[31msecret", "rca_\x1b\x1b[0m[0msecret", "\x1b]0;\x07rca_secret"):
        assert "rca_secret" not in plain(scrub(colored, ["rca_secret"]))
