"""A login that was accepted, but whose state cannot be saved."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.conftest import MakeJob
from tests.integration.job import Job
from tests.integration.sockets import LOGIN, RUNNING, Answer, Server

# Larger than any other file that this process writes meanwhile.
PADDING = 4 * 1024 * 1024
FAILED = {"status": "failed", "result": {"exit_code": 1, "stderr": "denied: denied"}}

Break = Callable[[Path], None]


@pytest.fixture(autouse=True)
def file_size_limit() -> Iterator[None]:
    """Restore the limit of this process."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def fill_disk(state: Path) -> None:
    """Replace the state file by one on a full disk."""
    state.rename(state.with_name("before"))
    state.symlink_to("/dev/full")


def free_disk(state: Path) -> None:
    """Put the state file back, if the disk was full."""
    if state.is_symlink():
        state.with_name("before").replace(state)


def replace_by_folder(state: Path) -> None:
    """Replace the state file by what cannot be opened."""
    state.rename(state.with_name("before"))
    state.mkdir()


def limit_size(state: Path) -> None:
    """Leave room for a part of the next entry only."""
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (state.stat().st_size + 100, hard))


def unsaved(job: Job, breaks: Break) -> Answer:
    """Return the answer that accepts a login, and breaks the state file before."""
    return Answer(202, LOGIN, before=lambda: breaks(job.state))


@pytest.mark.parametrize("breaks", [fill_disk, replace_by_folder, limit_size])
def test_unsaved_login_is_logged_out_and_fails(breaks: Break, make_job: MakeJob) -> None:
    with Server("serve") as api:
        job = make_job(api.port)
        job.padding = PADDING
        api.answers["login"] = [unsaved(job, breaks)]
        main = job.main()
    assert (main.code, main.anchors) == (1, ["runner-files"])
    assert "ghcr.io" in main.errors[0]
    assert "op-1" in main.errors[0]
    assert [line for line in main.log if "op-1" in line and not line.startswith("::")]
    if breaks is limit_size:  # a part of an entry does not stay
        assert job.stages == []  # and post finds nothing to do
    assert api.calls == ["login", "op-1", "logout", "op-2"]


@pytest.mark.parametrize(("login", "calls"), [(RUNNING, ["logout", "op-2"]), (FAILED, [])])
def test_unsaved_login_is_logged_out_after_its_end(
    login: object, calls: list[str], make_job: MakeJob
) -> None:
    with Server("serve", answers={"op-1": [Answer(body=login)]}) as api:
        job = make_job(api.port)
        api.answers["login"] = [unsaved(job, fill_disk)]
        assert job.main().code == 1
    assert [call for call in api.calls if call != "op-1"] == ["login", *calls]
    assert 1 <= api.calls.count("op-1") <= 20  # ten seconds


@pytest.mark.parametrize("is_refused", [False, True])
def test_post_after_an_unsaved_login_tries_only_what_failed(
    make_job: MakeJob, *, is_refused: bool
) -> None:
    refused = [Answer(403, {"detail": "no"})] * is_refused
    with Server("serve", answers={"logout": refused}) as api:
        job = make_job(api.port)
        job.padding = PADDING
        api.answers["login"] = [unsaved(job, limit_size)]
        job.main()
        before = len(api.calls)
        post = job.post()
    assert len(post.warnings) == is_refused
    assert api.calls[before:] == (["op-1", "logout"] if is_refused else [])
