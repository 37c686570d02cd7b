"""Seeded bugs of login and logout, each of which the explorer must catch."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from lib import login, logout
from tests.simulation.job import Program

# The module, a part of its source, and what replaces it.
MUTANTS = {
    "login-sent-before-saved": (login, "    _save(state, runner, files)\n    try:", "    try:"),
    "accepted-not-saved": (login, "    _save_accepted(inputs, state, runner, files)\n", ""),
    "state-file-not-written": (login, "    files.append_state(encoded)\n", ""),
    "sent-counts-as-not-sent": (login, "if not error.maybe_processed:", "if True:"),
    "not-sent-counts-as-sent": (login, "if not error.maybe_processed:", "if False:"),
    "no-shield": (login, "with cancellation.shield(deadline):", "if True:"),
    "success-without-proof": (
        login,
        "if operation.succeeded:\n        r",
        "if not operation.failed:\n        r",
    ),
    "repeated-login-forgotten": (login, " and not state.maybe_repeated:", ":"),
    "stop-file-not-created": (logout, "    files.stop()\n", ""),
    "stop-file-after-reading": (
        logout,
        "    files.stop()\n    newest = _newer(state, files.newest_state())\n",
        "    newest = _newer(state, files.newest_state())\n    files.stop()\n",
    ),
    "no-wait-for-main": (logout, "deadline = Deadline(clock, MAIN_SECONDS)", "return state"),
    "logout-before-login-ends": (logout, "_end_of_login(state, client, deadline, clock)", "None"),
    "failed-login-logged-out": (logout, "login.failed and not", "False and not"),
    "failed-logout-ignored": (logout, "        _raise_if_failed(operation)\n", ""),
    "warning-dropped": (logout, "    if doubt:\n", "    if False:\n"),
    "false-warning": (logout, "    if doubt:\n", "    if doubt or login:\n"),
}


def mutated(name: str) -> Program:
    """Return the code under test with a bug, compiled from its edited source."""
    if name == "no-look-for-stop-file":
        return Program(looks_for_stop_file=False)
    module, old, new = MUTANTS[name]
    path = Path(str(module.__file__))
    source = path.read_text("utf-8")
    assert source.count(old) == 1, f"{path} does not contain {old!r} once"
    mutant = ModuleType(module.__name__)
    exec(compile(source.replace(old, new), path, "exec"), vars(mutant))  # noqa: S102 our own source
    return Program(login=mutant) if module is login else Program(logout=mutant)
