"""The table of what post guarantees in docs/cleanup.md, as the simulation sees it."""

from __future__ import annotations

import re
from pathlib import Path

from tests.simulation.explore import every_schedule, report
from tests.simulation.invariants import annotations, violations
from tests.simulation.job import MODES, Job
from tests.simulation.world import Choices

PAGE = Path(__file__).parents[2] / "docs" / "cleanup.md"
REGION = re.compile(r"(?<=<!-- begin guarantees -->\n).*(?=<!-- end guarantees -->)", re.DOTALL)
SHARDS = 8
HEAD = """\
| login step | login request | post step | replay with `python -m tests.simulation` |
|---|---|---|---|
"""
# How the login step ends, the mode, and what happens at which choice point.
ROWS = (
    ("Succeeds", "vault", {}),
    ("Is killed before it sends the request", "vault", {"main save requested": "kill"}),
    ("Is canceled before it sends the request", "vault", {"main save requested": "cancel"}),
    ("Is killed while the request is in flight", "vault", {"main login response": "kill"}),
    ("The same, passthrough", "passthrough", {"main login response": "kill"}),
    ("Is canceled while the login runs", "vault", {"main sleep": "cancel"}),
    (
        "Is killed, then the login fails",
        "vault",
        {"main sleep": "kill", "outcome of the login": "fails"},
    ),
    ("Times out, the login still runs", "vault", {"outcome of the login": "succeeds after 40 s"}),
    (
        "Is canceled in a container while the request is in flight",
        "vault",
        {"main login request": "response slow", "main login in flight": "post starts beside"},
    ),
    ("Succeeds, but the key cannot log out", "vault", {"post logout request": "403"}),
)
_REQUEST = {"accepted": "Accepted", "pending": "Sent, no response", "": "Not sent"}


def rows() -> str:
    """Return the table."""
    return HEAD + "".join(_row(moment, mode, dict(happens)) for moment, mode, happens in ROWS)


def write() -> None:
    """Explore every schedule, and write the table and their number."""
    shards = range(SHARDS)
    counts = [
        sum(1 for mode in MODES for _ in every_schedule(mode, shard=shard, shards=SHARDS))
        for shard in shards
    ]
    text = f"""{rows()}
The [simulation](../tests/simulation/__init__.py) checks the guarantees on {sum(counts):,} schedules: every one
with up to two faults, kills or cancellations.
<!-- by shard: {", ".join(map(str, counts))} -->
"""
    PAGE.write_text(REGION.sub(lambda _: text, PAGE.read_text("utf-8")), "utf-8")


def documented() -> tuple[str, list[int]]:
    """Return the generated part of the page, and the number of schedules of each shard."""
    text = "".join(REGION.findall(PAGE.read_text("utf-8")))
    counts = re.findall(r"\d+", text.rpartition("by shard")[2])
    return text, [int(count) for count in counts]


def _row(moment: str, mode: str, happens: dict[str, str]) -> str:
    """Run the schedule of a row, where each thing happens at the first point of its label."""
    pick = Choices(pick=lambda label, options: options.index(happens.pop(label, options[0])))
    job = Job(mode, pick).run()
    assert not violations(job), report(job)
    sent = [attempt.verdict for attempt in job.attempts if attempt.kind == "login"]
    result = "Logs out" if job.told.get(("post", "logout")) == "done" else "Does nothing"
    if annotations(job, "post"):
        anchor = next(line for line in job.lines["post"] if "troubleshooting.md#" in line)
        link = f"[warning](troubleshooting.md#{anchor.partition('#')[2]})"
        result = f"{result}, {link}" if result == "Logs out" else f"Logs a {link}"
    command = report(job).rpartition("tests.simulation ")[2]
    return f"| {moment} | {_REQUEST[sent[-1] if sent else '']} | {result} | `{command}` |\n"
