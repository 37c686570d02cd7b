"""The page on how it works: its pictures are what the recordings say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pytest

from lib.state import Stage
from tests.fake_api import recording

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "lib" / "README.md").read_text("utf-8")
PICTURES = re.findall(r"\nAs in `([\w-]+)`[^`]*```mermaid\n(.*?)```", PAGE, re.DOTALL)
IDS = [f"{number}-{name}" for number, (name, _) in enumerate(PICTURES)]
STATEMENT = re.compile(
    r"sequenceDiagram|end|participant \w as [\w ]+|loop [^;#]+|Note over \w,\w: [^;#]+"
    r"|(?P<who>\w)(?P<arrow>--?>>)(?P<whom>\w): (?P<what>[^;#]+)"
)
ROLES = {
    "R": "Runner",
    "M": "main",
    "A": "Reoclo API",
    "S": "Server",
    "P": "post",
}

each_picture = pytest.mark.parametrize(("name", "picture"), PICTURES, ids=IDS)


class Call(NamedTuple):
    """A request and its answer; `is_repeated` if it is in a loop."""

    request: str
    answer: str
    is_repeated: bool


class Arrow(NamedTuple):
    """An arrow of a picture, and whether it is in a loop."""

    who: str
    whom: str
    what: str
    is_repeated: bool


def recorded(name: str) -> Iterator[Call]:
    """Give the calls that a recording has; what is answered for a time is repeated."""
    for exchange in recording.load(name).exchanges:
        path = exchange.path.removeprefix("/api/automation/v1")
        request = f"{exchange.method} {path.replace('<', '{').replace('>', '}')}"
        for response in exchange.responses:
            answer = f"{response.status} {response.body['status']}"
            yield Call(request, answer, response.seconds is not None)


def arrows(picture: str) -> Iterator[Arrow]:
    """Give the arrows of a picture."""
    is_repeated = False
    for line in map(str.strip, picture.splitlines()):
        match = STATEMENT.fullmatch(line)
        assert match, line
        is_repeated = line.startswith("loop") or (is_repeated and line != "end")
        if match["who"]:
            yield Arrow(match["who"], match["whom"], match["what"], is_repeated)


def drawn(picture: str) -> Iterator[tuple[str, Call]]:
    """Give the calls that a picture has, each with who asks."""
    asked = [arrow for arrow in arrows(picture) if {arrow.who, arrow.whom} & {"M", "P"}]
    asked = [arrow for arrow in asked if "A" in {arrow.who, arrow.whom}]
    for request, answer in zip(asked[::2], asked[1::2], strict=True):
        assert (request.who, request.whom) == (answer.whom, answer.who)
        yield request.who, Call(request.what, answer.what, request.is_repeated)


def test_there_are_pictures() -> None:
    """The page shows a login, one that is refused, and a cancel."""
    assert [name for name, _ in PICTURES] == ["slow-login", "refused-by-registry", "slow-login"]
    assert PAGE.count("```mermaid") == len(PICTURES)


@each_picture
def test_a_picture_has_the_calls_of_its_recording(name: str, picture: str) -> None:
    """Each call and its answer are drawn, in their order, and nothing else is asked."""
    calls = [call for _, call in drawn(picture)]

    # A poll may be drawn before the loop with its like: where main ends and post begins.
    shown = [list(same)[-1] for _, same in groupby(calls, lambda call: call[:2])]
    assert shown == list(recorded(name))


@each_picture
def test_main_asks_first_and_post_logs_out(name: str, picture: str) -> None:
    """The login is main's, the logout is post's, and main asks nothing once post has begun."""
    asking = [(who, call.request) for who, call in drawn(picture)]

    assert [who for who, _ in asking] == sorted(who for who, _ in asking)
    assert {who for who, request in asking if request.endswith("/login")} == {"M"}, name
    assert {who for who, request in asking if "logout" in request} <= {"P"}


@each_picture
def test_a_picture_names_states_that_there_are(name: str, picture: str) -> None:
    """Main saves the first state before the login, the second after it, and no unknown one."""
    told = [arrow.what for arrow in arrows(picture)]
    saved = [what.removeprefix("state: ") for what in told if what.startswith("state: ")]

    assert saved[:2] == ["requested", "accepted"], name
    assert set(saved) <= {stage.value for stage in Stage}
    before, after = (told.index(f"state: {stage}") for stage in saved[:2])
    assert before < told.index("POST /registry-auth/login") < after


@each_picture
def test_a_picture_has_the_same_five_roles(name: str, picture: str) -> None:
    """The roles are the same in each picture, and each arrow is between two of them."""
    assert dict(re.findall(r"participant (\w) as (.+)", picture)) == ROLES, name
    assert {role for arrow in arrows(picture) for role in arrow[:2]} <= ROLES.keys()


def test_each_module_is_on_the_page() -> None:
    """Who looks for the place of something finds each module, and none that is gone."""
    modules = {path.stem for path in (ROOT / "lib").glob("*.py")} - {"__init__"}
    table = PAGE.partition("## The modules")[2]

    named = [
        re.findall(r"`(\w+)`", row) for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    ]
    assert {name for row in named for name in row} == modules
