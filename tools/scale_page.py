"""The page about many jobs on one key, and its picture: figures in, text out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

HEAD = """\
# Many jobs on one key

Written by `make scale` (tools/simulate.py): the action's own schedules of lib/retry.py on a
virtual clock, against an API that allows a key so many requests in a window that slides, answers
429 with `Retry-After` in whole seconds to all others, and does not count these. All jobs begin
within 2 s. A login takes 2 s on the server, a logout 0.5 s, a request 0.1 s, and a job works for
30 to 90 s between them. `timeout` is the default, 300 s. Real APIs, networks and jobs differ. A
test holds that the rows up to 100 jobs are what today's code does.

**With a thousand jobs at once**: {thousand}

With `timeout: 3600` even {jobs:,} jobs on a key for {limit} are all logged in, the last after
{minutes:.0f} minutes.

![Jobs that are logged in, and seconds until all are, by number of jobs](scale.svg)

"""
COLUMNS = (
    "limit of the key",
    "jobs",
    "half of them logged in after",
    "the last after",
    "all ended after",
    "requests a job",
    "refused",
    "not logged in",
    "logout not confirmed",
    "fixed 5 s poll, no retries: not logged in",
    "logout not confirmed",
)
FOOT = """
A job that is not logged in has failed, red, after `timeout`. A logout that is not confirmed is one
warning: post has 25 s, in which the logout was refused, or was accepted while its end could not be
asked for. A job whose login was never accepted has nothing to log out.
"""

# The picture: two plots side by side.
WIDTH, HEIGHT = 320, 220
LEFT, TOP = 60, 50
GAP = 100
COLOURS = {"15 a second": "#0b62c4", "60 a minute": "#c2410c"}


class Row(NamedTuple):
    """The figures for a number of jobs at a limit; times in seconds."""

    limit: str
    jobs: int
    half_in: float
    all_in: float
    ended: float
    requests: float
    refused: float
    not_logged_in: int
    not_logged_out: int
    fixed_not_logged_in: int
    fixed_not_logged_out: int

    def __str__(self) -> str:
        """Give the row of the table."""
        cells = [
            self.limit,
            f"{self.jobs:,}",
            *(f"{seconds:.0f} s" for seconds in (self.half_in, self.all_in, self.ended)),
            f"{self.requests:.1f}",
            f"{self.refused:.0%}",
            *(f"{count:,}" for count in self[-4:]),
        ]
        return f"| {' | '.join(cells)} |"


class Curve(NamedTuple):
    """A line of a plot: its points are of jobs and a share of the plot's height."""

    limit: str
    dashed: bool
    points: list[tuple[int, float]]


def page(rows: list[Row], patient: Row) -> str:
    """Give the page.

    Args:
        rows: Those with the default timeout.
        patient: One with the longest, in which all are logged in.
    """
    fast, slow = (row for row in rows if row.jobs == 1_000)
    table = "".join(f"{row}\n" for row in rows)
    columns = f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|\n"
    head = HEAD.format(
        thousand=_sentence(fast, slow),
        jobs=patient.jobs - patient.not_logged_in,
        limit=patient.limit,
        minutes=patient.all_in / 60,
    )
    return head + columns + table + FOOT


def _sentence(fast: Row, slow: Row) -> str:
    return (
        f"on a key for {fast.limit} {fast.jobs - fast.not_logged_in:,} are logged in, half of them "
        f"after {fast.half_in:.0f} s and the last after {fast.all_in:.0f} s, but "
        f"{fast.not_logged_out:,} logouts are not confirmed; on a key for {slow.limit} only "
        f"{slow.jobs - slow.not_logged_in:,} are logged in. So let about 300 run at once "
        "on the first, and 15 on the second (`strategy.max-parallel` holds within a matrix, which "
        "has at most 256 jobs), or ask for a higher limit."
    )


def picture(rows: list[Row]) -> str:
    """Give the picture, as SVG."""
    width, height = 2 * (LEFT + WIDTH) + GAP, TOP + HEIGHT + 80
    shares = _plot(
        LEFT, "jobs that are logged in", ("0 %", "50 %", "100 %"), [*_share_curves(rows)]
    )
    times = [*_time_curves(rows)]
    title = "seconds until all are, where all are"
    seconds = _plot(LEFT + WIDTH + GAP, title, ("0", "150", "300"), times)
    body = "\n".join([*shares, *seconds, *_legend(TOP + HEIGHT + 60)])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="12" fill="#333">\n'
        f'<rect width="{width}" height="{height}" fill="#fff"/>\n{body}\n</svg>\n'
    )


def _share_curves(rows: list[Row]) -> Iterator[Curve]:
    for limit in COLOURS:
        found = _of(rows, limit)
        ours = [(row.jobs, 1 - row.not_logged_in / row.jobs) for row in found]
        fixed = [(row.jobs, 1 - row.fixed_not_logged_in / row.jobs) for row in found]
        yield Curve(limit, dashed=False, points=ours)
        yield Curve(limit, dashed=True, points=fixed)


def _time_curves(rows: list[Row]) -> Iterator[Curve]:
    for limit in COLOURS:
        found = [row for row in _of(rows, limit) if not row.not_logged_in]
        yield Curve(limit, dashed=False, points=[(row.jobs, row.all_in / 300) for row in found])


def _of(rows: list[Row], limit: str) -> list[Row]:
    return [row for row in rows if row.limit == limit]


def _plot(left: int, title: str, labels: tuple[str, str, str], curves: list[Curve]) -> list[str]:
    """Draw one plot: its axes, with the number of jobs as powers of ten, and its curves."""
    middle = left + WIDTH / 2
    lines = [f'<text x="{middle:.0f}" y="{TOP - 20}" text-anchor="middle">{title}</text>']
    for label, share in zip(labels, (0.0, 0.5, 1.0), strict=True):
        y = _y(share)
        lines.append(f'<path d="M{left} {y:.1f}h{WIDTH}" stroke="#ddd"/>')
        lines.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
    for jobs in (10, 100, 1_000, 10_000):
        x = left + _x(jobs)
        below = TOP + HEIGHT + 18
        lines.append(f'<text x="{x:.1f}" y="{below}" text-anchor="middle">{jobs:,}</text>')
    return [*lines, *(_line(left, curve) for curve in curves)]


def _line(left: int, curve: Curve) -> str:
    points = " ".join(f"{left + _x(jobs):.1f},{_y(share):.1f}" for jobs, share in curve.points)
    dashes = ' stroke-dasharray="5 4"' if curve.dashed else ""
    return (
        f'<polyline points="{points}" fill="none" stroke="{COLOURS[curve.limit]}" '
        f'stroke-width="2"{dashes}/>'
    )


def _legend(y: int) -> Iterator[str]:
    """Say what the colours and the dashes are."""
    x = LEFT
    for limit, colour in COLOURS.items():
        yield f'<path d="M{x} {y}h30" stroke="{colour}" stroke-width="2"/>'
        yield f'<text x="{x + 38}" y="{y + 4}">a key for {limit}</text>'
        x += 210
    yield f'<path d="M{x} {y}h30" stroke="#777" stroke-width="2" stroke-dasharray="5 4"/>'
    yield f'<text x="{x + 38}" y="{y + 4}">the same, with a fixed 5 s poll and no retries</text>'


def _x(jobs: int) -> float:
    return (math.log10(jobs) - 1) / 3 * WIDTH


def _y(share: float) -> float:
    return TOP + HEIGHT * (1 - share)
