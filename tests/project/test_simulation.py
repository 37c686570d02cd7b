"""The simulation catches bugs of login and logout, and docs/cleanup.md says what it guarantees."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.project import guarantees
from tests.runner.checkout import check_out

LOOK = "        self.save(state)\n        try:\n            # Before"
STOP = ("        files.stop()\n", "    newest = _newer(state, files.newest_state())\n")
END = "    deadline = Deadline(clock, MAIN_SECONDS)"
POLL = "    share = deadline.earlier_by(LOGOUT_SECONDS)\n"
# The module, a part of its source, and what replaces it.
MUTANTS = {
    "login-sent-before-saved": ("login", LOOK, "        try:\n            # Before"),
    "accepted-not-saved": ("login", "self.save_accepted(state)", "None"),
    "state-file-not-written": ("login", "        self.files.append_state(encoded)\n", ""),
    "sent-counts-as-not-sent": ("login", "if not error.maybe_processed:", "if True:"),
    "not-sent-counts-as-sent": ("login", "if not error.maybe_processed:", "if False:"),
    "no-shield": ("login", "with cancellation.shield(deadline):", "if True:"),
    "success-without-proof": ("login", "if not operation.succeeded:", "if operation.failed:"),
    "repeated-login-forgotten": ("login", " and not state.maybe_repeated:", ":"),
    "stop-file-not-created": ("logout", STOP[0], ""),
    "stop-file-after-reading": ("logout", STOP[0] + STOP[1], STOP[1] + STOP[0][4:]),
    "no-wait-for-main": ("logout", END, "    return state\n" + END),
    "no-poll": ("logout", POLL, "    return OperationTimeout('x', hint=Hint('', ''))\n" + POLL),
    "logout-elsewhere": (
        "logout",
        "registry_url=state.registry_url)\n    op",
        "registry_url='x')\n    op",
    ),
    "logout-before-login-ends": ("logout", "= _end_of_login(state, client, deadline)", "= None"),
    "failed-login-logged-out": ("logout", "login.failed and not", "False and not"),
    "failed-logout-ignored": ("logout", "= _is_verified(operation)", "= True"),
    "warning-dropped": ("logout", "    if doubt:\n", "    if False:\n"),
    "false-warning": ("logout", "    if doubt:\n", "    if doubt or login:\n"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_explorer_catches_mutant(tmp_path: Path, name: str) -> None:
    module, old, new = MUTANTS[name]
    check_out(tmp_path)
    file = tmp_path / "lib" / f"{module}.py"
    source = file.read_text("utf-8")
    assert source.count(old) == 1
    file.write_text(source.replace(old, new), "utf-8")
    command = [sys.executable, "-m", "tests.simulation"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert "VIOLATION: " in done.stdout


def test_table_in_docs_is_current() -> None:
    page = guarantees.PAGE.read_text("utf-8")
    assert guarantees.table() in page, "run python -m tests.project.guarantees"
