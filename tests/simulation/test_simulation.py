"""Every schedule with few faults, random ones with many, and seeded bugs that must be caught."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from lib import login, logout
from tests.simulation import table
from tests.simulation.explore import every_schedule, random_schedules, report
from tests.simulation.invariants import violations
from tests.simulation.job import MODES, REAL, Job

SEED = 17
LOOK = "        self.save(state)\n        try:\n            # Before"
STOP = ("        files.stop()\n", "    newest = _newer(state, files.newest_state())\n")
END = "    deadline = Deadline(clock, MAIN_SECONDS)"
# The module, a part of its source, and what replaces it.
MUTANTS = {
    "login-sent-before-saved": (login, LOOK, "        try:\n            # Before"),
    "accepted-not-saved": (login, "self.save_accepted(state)", "None"),
    "state-file-not-written": (login, "        self.files.append_state(encoded)\n", ""),
    "sent-counts-as-not-sent": (login, "if not error.maybe_processed:", "if True:"),
    "not-sent-counts-as-sent": (login, "if not error.maybe_processed:", "if False:"),
    "no-shield": (login, "with cancellation.shield(deadline):", "if True:"),
    "success-without-proof": (login, "if not operation.succeeded:", "if operation.failed:"),
    "repeated-login-forgotten": (login, " and not state.maybe_repeated:", ":"),
    "stop-file-not-created": (logout, STOP[0], ""),
    "stop-file-after-reading": (logout, STOP[0] + STOP[1], STOP[1] + STOP[0][4:]),
    "no-wait-for-main": (logout, END, "    return state\n" + END),
    "logout-before-login-ends": (logout, "= _end_of_login(state, client, deadline)", "= None"),
    "failed-login-logged-out": (logout, "login.failed and not", "False and not"),
    "failed-logout-ignored": (logout, "= _is_verified(operation)", "= True"),
    "warning-dropped": (logout, "    if doubt:\n", "    if False:\n"),
    "false-warning": (logout, "    if doubt:\n", "    if doubt or login:\n"),
}


@pytest.mark.parametrize("mode", MODES)
def test_every_schedule_with_two_faults_holds(mode: str) -> None:
    count = 0
    for count, job in enumerate(every_schedule(mode), 1):  # noqa: B007 the last number
        assert not violations(job), report(job)
    assert count == pytest.approx(table.documented_count(mode), rel=0.02), "run --table again"


@pytest.mark.parametrize("mode", MODES)
def test_random_schedules_hold(mode: str) -> None:
    for job in random_schedules(mode, SEED, 1000):
        assert not violations(job), f"seed {SEED}\n{report(job)}"


@pytest.mark.parametrize("name", MUTANTS)
def test_explorer_catches_mutant(name: str) -> None:
    module, old, new = MUTANTS[name]
    source = Path(str(module.__file__)).read_text("utf-8")
    assert source.count(old) == 1
    mutant = ModuleType(module.__name__)
    exec(compile(source.replace(old, new), str(module.__file__), "exec"), vars(mutant))  # noqa: S102
    program = {**REAL, module.__name__.removeprefix("lib."): mutant}
    assert any(violations(job) for mode in MODES for job in every_schedule(mode, program))


def test_schedule_replays_identically() -> None:
    for job in random_schedules("vault", SEED, 20):
        assert Job("vault", [index for *_, index in job.points]).log == job.log


def test_table_in_docs_is_current() -> None:
    page = table.PAGE.read_text("utf-8")
    assert table.rows() in page, "run python -m tests.simulation --table"
