"""What all tests share. Imported first, because no import may leave bytecode in the tree."""

from __future__ import annotations

import sys

sys.dont_write_bytecode = True

import getpass  # noqa: E402
import signal  # noqa: E402
import tempfile  # noqa: E402
from collections.abc import Callable, Iterator  # noqa: E402
from contextlib import ExitStack  # noqa: E402
from pathlib import Path  # noqa: E402

import hypothesis.configuration  # noqa: E402
import pytest  # noqa: E402

from tests.fake_api import FakeApi, recording  # noqa: E402

Play = Callable[..., FakeApi]

# The same examples on every machine. Hypothesis' folder, for its tables of Unicode, must be
# usable, because otherwise it warns, and warnings are errors; it must not be in the tree.
hypothesis.settings.register_profile(
    "ours", derandomize=True, database=None, deadline=None, max_examples=200
)
hypothesis.settings.load_profile("ours")
hypothesis.configuration.set_hypothesis_home_dir(
    Path(tempfile.gettempdir()) / f"hypothesis-{getpass.getuser()}"
)


@pytest.fixture
def fake_api() -> Iterator[Play]:
    """Return a function that starts a fake API with the recordings of these names.

    At the end each API is stopped, and must have received the recorded requests and no others.
    """
    with ExitStack() as running:
        started: list[FakeApi] = []

        def play(*recording_names: str) -> FakeApi:
            api = FakeApi([recording.load(name) for name in recording_names])
            started.append(running.enter_context(api))
            return api

        yield play
    for api in started:
        api.verify()


@pytest.fixture
def restored_signals() -> Iterator[None]:
    """Restore the signal handlers that a step replaces."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)
