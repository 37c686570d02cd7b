"""A login that was accepted, but whose state cannot be saved."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.conftest import MakeJob
from tests.integration.sockets import LOGIN, Answer, Server

# Larger than any other file that this process writes meanwhile.
PADDING = "x" * 4 * 1024 * 1024


@pytest.fixture(autouse=True)
def file_size_limit() -> Iterator[None]:
    """Restore the limit of this process."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def limit_size(state: Path) -> None:
    """Leave room for a part of the next entry only."""
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (state.stat().st_size + 100, hard))


@pytest.mark.parametrize("is_refused", [False, True])
def test_unsaved_login_is_logged_out_by_main_or_else_by_post(
    make_job: MakeJob, *, is_refused: bool
) -> None:
    refused = [Answer(403, {"detail": "no"})] * is_refused
    with Server("serve", answers={"logout": refused}) as api:
        job = make_job(api.url)
        job.state.write_text(f"other={PADDING}\n", "utf-8")
        api.answers["login"] = [Answer(202, LOGIN, before=lambda: limit_size(job.state))]
        main = job.main()
        calls_of_main = len(api.calls)
        post = job.post()
    assert (main.code, main.anchors) == (1, ["runner-files"])
    assert len(post.warnings) == is_refused
    if is_refused:
        assert api.calls == ["login", "op-1", "logout", "op-1", "logout"]
        assert (job.stages, calls_of_main) == (["requested"], 3)
    else:  # no part of an entry stays, and post finds nothing to do
        assert api.calls == ["login", "op-1", "logout", "op-2"]
        assert (job.stages, calls_of_main) == ([], 4)
