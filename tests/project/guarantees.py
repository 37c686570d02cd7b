"""Table of docs/cleanup.md. `python -m tests.project.guarantees` updates it."""

from __future__ import annotations

import re
from pathlib import Path

from tests.simulation.explore import every_schedule, replay_options, report
from tests.simulation.invariants import annotations_of, violations
from tests.simulation.job import JOBS, Job

PAGE = Path(__file__).parents[2] / "docs" / "cleanup.md"
REGION = re.compile(r"(?<=<!-- begin guarantees -->\n).*(?=<!-- end guarantees -->)", re.DOTALL)
HEAD = """\
| login step | login request | post step | replay with `.venv/bin/python -m tests.simulation` |
|---|---|---|---|
"""
# What becomes of the login step: the job, and what happens first at which choice points.
ROWS = {
    "Succeeds": "vault",
    "Is killed before it sends the request": "vault; main append to GITHUB_STATE: kill",
    "Is canceled before it sends the request": "vault; main append to GITHUB_STATE: cancel",
    "Is killed while the request is in flight": "vault; main login response: kill",
    "The same, passthrough": "passthrough; main login response: kill",
    "Is canceled while the login runs": "vault; main sleep: cancel",
    "Is killed, then the login fails": "vault; main sleep: kill; outcome of the login: fails",
    "Times out, the login still runs": "vault; outcome of the login: succeeds after 40 s",
    "Is canceled in a container, the request is in flight": (
        "vault; main login request: response slow; main login in flight: post starts beside"
    ),
    "Succeeds, but the key cannot log out": "vault; post logout request: 403",
}
_REQUEST = {"unknown": "Sent", "pending": "Sent, no response", "": "Not sent"}


def table() -> str:
    """Return the table."""
    return HEAD + "".join(_row(moment, f"job: {what}") for moment, what in ROWS.items())


def main() -> None:
    """Explore every schedule, and write the table and their number."""
    count = sum(1 for kind in JOBS for _ in every_schedule(kind))
    text = f"""{table()}
The simulation in `tests/simulation` checks the guarantees on the {count:,} schedules with up to two
faults, kills, or cancellations, in both modes. Outages and a connection that hangs are combined
with other faults only in random schedules.
"""
    PAGE.write_text(REGION.sub(lambda _: text, PAGE.read_text("utf-8")), "utf-8")


def _row(moment: str, what: str) -> str:
    """Run the schedule of a row."""
    happens = dict(each.split(": ", 1) for each in what.split("; "))
    job = Job(pick=lambda label, options: options.index(happens.pop(label, options[0])))
    assert not happens, f"never reached: {happens}"
    assert not violations(job), report(job)
    request = _REQUEST.get(job.known("main", "login"), "Accepted")
    result = "Logs out" if job.known("post", "logout") == "done" else "Does nothing"
    if annotations_of(job, "post"):
        link = next(line for line in job.lines["post"] if "troubleshooting.md#" in line)
        warning = f"[warning](troubleshooting.md#{link.partition('#')[2]})"
        result = f"{result}, {warning}" if result == "Logs out" else f"Logs a {warning}"
    return f"| {moment} | {request} | {result} | `{replay_options(job)}` |\n"


if __name__ == "__main__":
    main()
