"""Makes a recording of what a recorder heard, without what tells whose it was.

Ids of the conversation become placeholders; hosts and names become those of nobody. Of an answer
only the fields that the API is known to have keep their texts. `tests.fake_api.leaks` looks at
the result again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from tests.fake_api.recorder import Heard

LEFT_OUT = "(left out)"
PAGE = "<html><body>(left out)</body></html>"
HOST = "registry.example.com"

_PUBLIC_REGISTRIES = {"docker.io", "index.docker.io", "ghcr.io", "quay.io"}
_KNOWN_TEXTS = {
    *("operation_id", "operation_type", "server_id", "server_name", "status"),
    *("registry_url", "registry_type", "stdout", "stderr", "detail", "loc", "msg", "type"),
    *("started_at", "completed_at"),
}
_NAMES = {"repository": "acme/shop", "workflow": "Deploy", "actor": "octocat"}
_OPTIONAL = {"run_id", "sha", "ref"}
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# Times, and addresses of people and of machines, wherever they stand.
_ELSEWHERE = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?"), "<now>"),
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "someone@example.com"),
    (re.compile(r"\b(?!127\.)\d{1,3}(?:\.\d{1,3}){3}\b"), "192.0.2.1"),
    (_UUID, "00000000-0000-4000-8000-000000000000"),
)
_URL_HOST = re.compile(r"(?<=://)[^\s/\"'<>]+")
_KNOWN_HOSTS = {HOST, "api.example.com", *_PUBLIC_REGISTRIES}

Replacements = dict[str, str]


def write(heard: Sequence[Heard], *, title: str, date: str, api_host: str) -> dict[str, Any]:
    """Make a recording.

    Args:
        heard: The requests of one conversation, with their answers.
        title: What happens in it.
        date: When it was recorded.
        api_host: The host of the API it was recorded from.
    """
    replacements = {**_replacements(heard), api_host: "api.example.com"}
    source = f"a Reoclo API, recorded with python -m tests.fake_api.record on {date}"
    what = "requests and answers, with keys, ids, hosts and names replaced"
    return {
        "$schema": "../schema.json",
        "title": title,
        "origin": {"kind": "captured", "known": [{"what": what, "where": source}], "invented": []},
        "exchanges": list(_exchanges(heard, replacements)),
    }


def _exchanges(heard: Sequence[Heard], replacements: Replacements) -> Iterator[dict[str, Any]]:
    """Give the exchanges: requests that follow each other and are alike are one."""
    first: dict[str, Any] = heard[0].body if isinstance(heard[0].body, dict) else {}
    groups = groupby(heard, lambda one: (one.method, one.path, one.body))
    for (method, path, body), group in groups:
        alike = list(group)
        request: dict[str, Any] = {"method": method, "path": _replaced(path, replacements)}
        if isinstance(body, dict):
            request["body"] = _pattern(body, {} if body == first else first, replacements)
        times = {"times": _times(alike)} if method == "GET" or len(alike) > 1 else {}
        responses = list(_responses(alike, heard[0].at, replacements))
        yield {"request": request, **times, "responses": responses}


def _times(alike: Sequence[Heard]) -> dict[str, int]:
    """Tell how often it is asked: polls as often as one likes, if all were answered alike."""
    if alike[0].method == "GET" and _all_worked(alike):
        return {"least": 1}
    return {"least": len(alike), "most": len(alike)}


def _responses(
    alike: Sequence[Heard], began: float, replacements: Replacements
) -> Iterator[dict[str, Any]]:
    """Fold the answers: one for all that say the same, and how long it was given."""
    runs = [
        (answer, [one for _, one in run])
        for answer, run in groupby(
            [(_answer(one, replacements), one) for one in alike], lambda pair: pair[0]
        )
    ]
    nexts = [run for _, run in runs[1:]]
    for (answer, run), following in zip(runs, [*nexts, None], strict=True):
        if following is None:
            yield answer
        elif _all_worked(alike) and alike[0].method == "GET":
            yield {"lasts": {"seconds": max(0.1, round(following[0].at - began, 1))}, **answer}
        else:
            yield {"lasts": {"requests": len(run)}, **answer}


def _all_worked(alike: Iterable[Heard]) -> bool:
    return all(one.status == 200 for one in alike)


def _answer(one: Heard, replacements: Replacements) -> dict[str, Any]:
    answer: dict[str, Any] = {"status": one.status}
    if one.retry_after:
        answer["headers"] = {"Retry-After": one.retry_after}
    if isinstance(one.answer, dict):
        answer["body"] = _neutral(one.answer, replacements)
    elif one.answer:
        answer["body"] = PAGE
    return answer


def _neutral(value: Any, replacements: Replacements, name: str = "") -> Any:
    """Replace what tells whose it was, and leave texts out that may tell anything."""
    if isinstance(value, dict):
        return {key: _neutral(entry, replacements, key) for key, entry in value.items()}
    if isinstance(value, list):
        return [_neutral(entry, replacements, name) for entry in value]
    if not isinstance(value, str):
        return value
    if name == "server_name":
        return "build-1"
    return _replaced(value, replacements) if name in _KNOWN_TEXTS else LEFT_OUT


def _replaced(text: str, replacements: Replacements) -> str:
    for original, neutral in replacements.items():
        whole = rf"(?<![\w.-]){re.escape(original)}(?![\w-]|\.\w)"
        text = re.sub(whole, neutral, text, flags=re.IGNORECASE)
    for pattern, neutral in _ELSEWHERE:
        text = pattern.sub(neutral, text)
    return _URL_HOST.sub(lambda found: _host(found[0]), text)


def _host(found: str) -> str:
    return found if found in _KNOWN_HOSTS else "host.example.com"


def _replacements(heard: Iterable[Heard]) -> Replacements:
    """Give what stands for what: the longest first, where one has another in it."""
    found: Replacements = {}
    for one in heard:
        for original, neutral in _told_by(one):
            found.setdefault(original, neutral)
    found.pop("", None)
    return dict(sorted(found.items(), key=lambda pair: -len(pair[0])))


def _told_by(one: Heard) -> Iterator[tuple[str, str]]:
    """Give what the two sides of a conversation say of themselves."""
    body = one.body if isinstance(one.body, dict) else {}
    answer = one.answer if isinstance(one.answer, dict) else {}
    for name in ("server_id", "credential_id", "username"):
        yield str(body.get(name, "")), f"<{name}>"
    yield str(answer.get("server_name", "")), "build-1"
    context = body.get("run_context", {})
    yield from ((str(context.get(name, "")), neutral) for name, neutral in _NAMES.items())
    if one.path.endswith("/login-direct"):
        yield str(body.get("registry_url", "")), "<registry_url>"
    if "/registry-auth/" in one.path:
        kind = "logout" if one.path.endswith("/logout") else "login"
        yield str(answer.get("operation_id", "")), f"<{kind}_operation>"
    for told in (body, answer):
        yield from _registry(str(told.get("registry_url", "")))


def _registry(address: str) -> Iterator[tuple[str, str]]:
    """Give what stands for a registry: a public one may be named, any other not."""
    host = _host_of(address)
    if not is_public(address):
        yield from ((name, HOST) for name in (address, host, host.partition(":")[0]))


def is_public(registry: str) -> bool:
    """Tell whether a registry is one that everybody may use, so that its name tells nothing."""
    return _host_of(registry) in _PUBLIC_REGISTRIES


def _host_of(address: str) -> str:
    return address.rpartition("://")[2].partition("/")[0]


def _pattern(
    body: dict[str, Any], first: dict[str, Any], replacements: Replacements
) -> dict[str, Any]:
    """Make of a request's body what any request like it fits.

    Args:
        body: The body.
        first: The body of the first request, where this is a later one.
        replacements: What stands for what.
    """
    return {name: _field(name, value, first, replacements) for name, value in body.items()}


def _field(name: str, value: Any, first: dict[str, Any], replacements: Replacements) -> Any:
    if isinstance(value, dict):
        return {key: "<text?>" if key in _OPTIONAL else "<text>" for key in value}
    if name in _OPTIONAL:
        return "<text?>"
    if name in first and value == first[name]:
        return f"<{name}>"
    if name in {"server_id", "credential_id"}:
        return "<uuid>"
    return _replaced(str(value), replacements) if first else "<text>"
