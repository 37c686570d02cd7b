"""What the end-to-end tests share: a job with the action as its step, on each of four runners."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fake_api import FakeApi
from tests.runner import GITHUB, PROFILES, Profile, Runner
from tests.runner.checkout import check_out

API_KEY = "rca_Zm9vYmFy0123456789"
SERVER_ID = "11111111-2222-4333-8444-555555555555"
SHIPPED = ("action.yml", "main.py", "post.py", "lib", "logout")
CREDENTIAL_ID = "66666666-7777-4888-9999-000000000000"

MakeRunner = Callable[..., Runner]

# Marks a test that is about GitHub's runner alone.
on_github = pytest.mark.parametrize("profile", [GITHUB], ids=str)


@pytest.fixture(params=PROFILES, ids=str)
def profile(request: pytest.FixtureRequest) -> Profile:
    """Give each runner in turn: every test that uses it is run on all four."""
    given: Profile = request.param
    return given


@pytest.fixture
def action_copy(tmp_path: Path) -> Path:
    """Check out what the action consists of, to a folder of its own."""
    copy = tmp_path / "action"
    check_out(copy, *SHIPPED)
    return copy


@pytest.fixture
def make_runner(tmp_path: Path, profile: Profile) -> MakeRunner:
    """Make a job that uses the action with good inputs against a fake API.

    Each test runs on all four runners. Its cases, where it has some, are dealt out to them: each
    case is run, and each runner is met. With the mark `every_case`, and with --all-runners for
    all tests, each case is run on each. Not on all four are: what needs a signal, which
    GitHub's runner alone sends (in test_launcher, and where a test says `on_github`); and what
    takes minutes, where the many jobs are dealt out instead (test_faults, test_secrets).
    test_cleanup ends main as each runner does. The other tests of test_launcher have no runner.
    """

    def make(
        api: FakeApi | None = None, *, environment: dict[str, str] | None = None, **inputs: str
    ) -> Runner:
        given = {"api_key": API_KEY, "server_id": SERVER_ID, "credential_id": CREDENTIAL_ID}
        address = {"api_url": api.url} if api else {}
        return Runner(
            tmp_path, {**given, **address, **inputs}, profile=profile, environment=environment
        )

    return make


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deal the cases of each test out to the runners, so that each case and each runner is met."""
    ours = [item for item in items if item.path.parent == Path(__file__).parent]
    if config.getoption("all_runners"):
        return
    left_out = set(ours) - _dealt(ours)
    config.hook.pytest_deselected(items=[item for item in items if item in left_out])
    items[:] = [item for item in items if item not in left_out]


def _dealt(items: list[pytest.Item]) -> set[pytest.Item]:
    tests: dict[str, dict[str, list[pytest.Item]]] = {}
    for item in items:
        test, _, case = item.nodeid.partition("[")
        own = "-".join(part for part in case.rstrip("]").split("-") if part not in _NAMES)
        tests.setdefault(test, {}).setdefault(own, []).append(item)
    return {item for cases in tests.values() for item in _deal(list(cases.values()))}


def _deal(cases: list[list[pytest.Item]]) -> list[pytest.Item]:
    """Choose of a test's cases, each on some runners, which are run."""
    is_dealt = all(
        len(case) == len(PROFILES) and not case[0].get_closest_marker("every_case")
        for case in cases
    )
    if not is_dealt:
        return [item for case in cases for item in case]
    rounds = range(max(len(cases), len(PROFILES)))
    return [cases[number % len(cases)][number % len(PROFILES)] for number in rounds]


_NAMES = {profile.name for profile in PROFILES}
