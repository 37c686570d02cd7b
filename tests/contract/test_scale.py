"""The page about many jobs on one key says what today's schedules do."""

from __future__ import annotations

from pathlib import Path

from tools import simulate

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "tools" / "SCALE.md").read_text("utf-8")
SMALL = (10, 30, 100)


def test_the_page_has_the_figures_of_today() -> None:
    """A change of a schedule is followed by `make scale`."""
    missing = [str(row) for row in simulate.rows(SMALL) if f"{row}\n" not in PAGE]

    assert not missing, "make scale writes the page anew"


def test_the_same_jobs_come_to_the_same_end() -> None:
    """A run is seeded: no figure is an accident that cannot be looked at again."""
    limit = simulate.LIMITS[1]

    assert simulate.simulate(60, limit) == simulate.simulate(60, limit)


def test_no_job_is_lost_that_the_limit_has_room_for() -> None:
    """What a fixed poll without retries loses, the action logs in and out."""
    limit = simulate.LIMITS[0]

    ours, fixed = simulate.simulate(100, limit), simulate.simulate(100, limit, simulate.FixedJob)

    assert (ours.not_logged_in, ours.not_logged_out) == (0, 0)
    assert fixed.not_logged_in > 50


def test_the_page_and_the_readme_show_the_picture_and_the_page() -> None:
    """A reader of the README gets there."""
    assert "](scale.svg)" in PAGE
    assert (ROOT / "tools" / "scale.svg").read_text("utf-8").startswith("<svg ")
    assert "](tools/SCALE.md)" in (ROOT / "README.md").read_text("utf-8")
