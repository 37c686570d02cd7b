"""Tests of lib.runner.redaction."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote

import pytest

from lib.runner.redaction import encoded_forms, redact, secret_lines, split_for_act


def test_secret_lines_shorter_than_four_characters_are_no_secrets() -> None:
    assert secret_lines("first\r\n  second \nabc\nabcd\n\n") == ["first", "second", "abcd"]
    assert secret_lines("") == []


@pytest.mark.parametrize(("secret", "pieces"), [
    ("rca_plain", ["rca_plain"]), ("rca_one:two", ["rca_one:two"]), (":rca_one:", ["rca_one:"]),
    ("rca_one::two2", ["rca_one", "two2"]), ("rca_one::two", ["rca_one"]), ("::::", []),
    ("a:::bcde", ["bcde"]),
])  # fmt: skip
def test_secret_is_split_for_act_at_double_colons(secret: str, pieces: list[str]) -> None:
    assert split_for_act(secret) == pieces


@pytest.mark.parametrize("before", ["", "x", "xy", "xyz"])
@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
def test_secret_in_base64_is_redacted_at_any_alignment(
    before: str, encode: Callable[[bytes], bytes]
) -> None:
    secret = "rca_~~~???>>>0123456789"
    redacted = redact(encode(f"{before}{secret} more".encode()).decode(), encoded_forms(secret))
    whole = encode(secret.encode()).decode()
    assert "***" in redacted
    assert not any(whole[at : at + 8] in redacted for at in range(len(whole) - 8))


def test_secret_is_redacted_in_every_encoded_form() -> None:
    secret = 'rca_<a/b&"c"\\d\'e>é'
    html = "rca_&lt;a/b&amp;&quot;c&quot;\\d&#x27;e&gt;é"
    texts = [secret, json.dumps(secret)[1:-1], html, quote(secret, safe=""), quote(secret)]
    forms = encoded_forms(secret)
    assert [redact(f"a {text} b", forms) for text in texts] == ["a *** b"] * 5
    assert encoded_forms("rca_\ud800")  # a lone surrogate is no error


def test_encoded_form_shorter_than_eight_characters_is_left_out() -> None:
    assert encoded_forms("rca_x") == {"rca_x"}
    assert encoded_forms("rca_xy") == {"rca_xy", "cmNhX3h5"}
    assert encoded_forms("rc_&") == {"rc_&", "rc_&amp;"}


def test_longest_secret_is_redacted_first() -> None:
    assert redact("a rca_1 b rca_12 c rca_1", ["rca_1", "rca_12"]) == "a *** b *** c ***"


@pytest.mark.parametrize(
    "text", ["rca_\x1b[31msecret", "rca_\x1b\x1b[0m[0msecret", "\x1b]0;\x07rca_secret"]
)
def test_ansi_escapes_do_not_hide_a_secret(text: str) -> None:
    redacted = redact(text, ["rca_secret"])
    assert "rca_secret" not in redacted
    assert "\x1b" not in redacted
