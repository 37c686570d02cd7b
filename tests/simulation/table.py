"""The table of what post guarantees in docs/cleanup.md, as the simulation sees it."""

from __future__ import annotations

import re
from pathlib import Path

from tests.simulation.explore import command, every_schedule, report
from tests.simulation.invariants import annotations_of, violations
from tests.simulation.job import MODES, Job

PAGE = Path(__file__).parents[2] / "docs" / "cleanup.md"
REGION = re.compile(r"(?<=<!-- begin guarantees -->\n).*(?=<!-- end guarantees -->)", re.DOTALL)
HEAD = """\
| login step | login request | post step | replay with `python -m tests.simulation` |
|---|---|---|---|
"""
# What becomes of the login step: the mode, and what happens at which choice points.
ROWS = {
    "Succeeds": "vault",
    "Is killed before it sends the request": "vault; main save requested: kill",
    "Is canceled before it sends the request": "vault; main save requested: cancel",
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
_REQUEST = {"accepted": "Accepted", "pending": "Sent, no response", "": "Not sent"}


def rows() -> str:
    """Return the table."""
    return HEAD + "".join(_row(moment, *what.split("; ")) for moment, what in ROWS.items())


def write() -> None:
    """Explore every schedule, and write the table and their number."""
    counts = [f"{sum(1 for _ in every_schedule(mode)):,} in {mode} mode" for mode in MODES]
    text = f"""{rows()}
The simulation in `tests/simulation` checks the guarantees on the schedules with up to two faults,
kills, or cancellations: {" and ".join(counts)}. Rare response variants are combined
only in random schedules.
"""
    PAGE.write_text(REGION.sub(lambda _: text, PAGE.read_text("utf-8")), "utf-8")


def documented_count(mode: str) -> int:
    """Return the number of schedules of a mode that the page has."""
    counts = re.findall(rf"([\d,]+) in {mode} mode", PAGE.read_text("utf-8"))
    return int("".join(counts).replace(",", "") or 0)


def _row(moment: str, mode: str, *what: str) -> str:
    """Run the schedule of a row, where each thing happens at the first point of its label."""
    happens = dict(each.split(": ", 1) for each in what)
    job = Job(mode, pick=lambda label, options: options.index(happens.pop(label, options[0])))
    assert not violations(job), report(job)
    sent = [attempt.verdict for attempt in job.attempts if attempt.kind == "login"]
    result = "Logs out" if job.told.get(("post", "logout")) == "done" else "Does nothing"
    if annotations_of(job, "post"):
        link = next(line for line in job.lines["post"] if "troubleshooting.md#" in line)
        warning = f"[warning](troubleshooting.md#{link.partition('#')[2]})"
        result = f"{result}, {warning}" if result == "Logs out" else f"Logs a {warning}"
    return f"| {moment} | {_REQUEST[(sent or [''])[-1]]} | {result} | `{command(job)}` |\n"
