"""What each stage imports: nothing before it is needed, since imports take most of the time.

Held on the modules that the real process loads, not on seconds.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Play
from tests.e2e.conftest import MakeRunner
from tests.runner import Runner, StageResult

_IMPORT = re.compile(r"^import time: +\d+ \| +\d+ \| +([\w.]+)$", re.MULTILINE)

# What a conversation needs and what only a second try, a file or a fault needs.
NETWORK = {"requests", "urllib3", "http", "email", "ssl", "socket", "lib.client", "lib.transport"}
SECOND_TRY = {"backoff", "asyncio"}
OWN_FOR_POST = {
    "lib",
    "lib.advice",
    "lib.clock",
    "lib.entry",
    "lib.environment",
    "lib.errors",
    "lib.inputs",
    "lib.logout",
    "lib.models",
    "lib.process",
    "lib.redaction",
    "lib.state",
    "lib.text",
    "lib.workflow",
}

Tell = Callable[..., Runner]


@pytest.fixture
def telling(make_runner: MakeRunner, tmp_path: Path) -> Tell:
    """Make a job whose Python tells what it imports."""
    python = tmp_path / "telling" / "bin" / "python3"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" -X importtime "$@"\n', "utf-8")
    python.chmod(0o755)
    location = {"pythonLocation": str(python.parent.parent)}
    return lambda *api, **inputs: make_runner(*api, environment=location, **inputs)


def imported(stage: StageResult) -> set[str]:
    """Give the modules that a stage imported."""
    modules = set(_IMPORT.findall(stage.output))
    assert "lib.entry" in modules
    return modules


def test_a_post_after_a_failed_login_imports_nothing_of_a_conversation(
    fake_api: Play, telling: Tell
) -> None:
    """It reads the state, says one line, and loads just what that needs."""
    runner = telling(fake_api("key-rejected"))
    assert runner.main().exit_code == 1

    modules = imported(runner.post())

    assert not modules & (NETWORK | SECOND_TRY | {"uuid", "platform", "traceback", "logging"})
    assert {name for name in modules if name.split(".")[0] == "lib"} == OWN_FOR_POST
    assert {name for name in modules if name.startswith("actions_toolkit.")} == {
        "actions_toolkit.command",
        "actions_toolkit.utils",
    }


def test_a_post_without_cleanup_imports_as_little(fake_api: Play, telling: Tell) -> None:
    """`cleanup: false` costs the end of a job no library."""
    runner = telling(fake_api("login-only"), cleanup="false")
    assert runner.main().exit_code == 0

    assert not imported(runner.post()) & (NETWORK | SECOND_TRY)


def test_a_login_that_is_refused_before_it_is_sent_imports_no_library_for_it(
    telling: Tell,
) -> None:
    """The inputs are checked before the network is thought of."""
    runner = telling(server_id="build-1")

    modules = imported(runner.main())

    assert not modules & (NETWORK | SECOND_TRY)


def test_a_conversation_without_a_second_try_imports_no_backoff(
    fake_api: Play, telling: Tell
) -> None:
    """A login and a logout that the first poll finds done need no waits; no TLS, no trust store."""
    runner = telling(fake_api("ghcr"))

    main, post = imported(runner.main()), imported(runner.post())

    for modules in (main, post):
        assert modules >= NETWORK
        assert not modules & (SECOND_TRY | {"truststore", "lib.trust"})
        assert not {name for name in modules if name.startswith("actions_toolkit.")} - {
            "actions_toolkit.command",
            "actions_toolkit.file_command",
            "actions_toolkit.utils",
        }
    assert "lib.logout" not in main
    assert not post & {"lib.login", "actions_toolkit.file_command"}


def test_no_encoding_is_guessed_and_no_library_complains(fake_api: Play, telling: Tell) -> None:
    """The guesser that `requests` asks for is left out; that it warns of this, no log shows."""
    runner = telling(fake_api("ghcr"))

    for stage in (runner.main(), runner.post()):
        # Their own names are told also where they are looked for and not found; parts are not.
        guessers = ("chardet.", "charset_normalizer.")
        assert not [name for name in imported(stage) if name.startswith(guessers)]
        assert "Warning" not in stage.output


def test_a_login_that_is_waited_for_imports_backoff_then(fake_api: Play, telling: Tell) -> None:
    """What the test before this one does not find would be found."""
    runner = telling(fake_api("slow-login"))
    main = runner.main()
    runner.post()

    order = _IMPORT.findall(main.output)
    assert order.index("lib.transport") < order.index("backoff")
    assert set(order) >= SECOND_TRY
