"""The archive that runners download and releases attest is complete, and no larger than needed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Play
from tests.e2e.conftest import VAULT
from tests.runner import Runner
from tests.runner.checkout import check_out

NEEDED = {"action.yml", "main.py", "post.py", "logout", "lib"}
DOCUMENTS = {"README.md", "CHANGELOG.md", "LICENSE", "SECURITY.md", "docs"}
LOGOUT = {**VAULT, "credential_id": "", "registry_url": "ghcr.io"}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack the archive of a commit of the working tree."""
    folder = tmp_path_factory.mktemp("archive")
    check_out(folder / "clone")
    for command in (
        "init --quiet",
        "add --all",
        "-c user.name=test -c user.email=test@example.com commit --quiet --message=test",
        "archive --output=../archive.tar HEAD",
    ):
        subprocess.run(["git", *command.split()], cwd=folder / "clone", check=True)
    shutil.unpack_archive(folder / "archive.tar", folder / "unpacked")
    return folder / "unpacked"


def test_archive_has_only_the_action_and_its_documents(archive: Path) -> None:
    assert {path.name for path in archive.iterdir()} == NEEDED | DOCUMENTS


def test_action_runs_from_the_archive(archive: Path, fake_api: Play, tmp_path: Path) -> None:
    runner = Runner(tmp_path, {**VAULT, "api_url": fake_api("ghcr").url}, action=archive)
    for step in (runner.main(), runner.post()):
        assert (step.exit_code, step.log.annotations) == (0, [])


def test_logout_runs_from_the_archive(archive: Path, fake_api: Play, tmp_path: Path) -> None:
    inputs = {**LOGOUT, "api_url": fake_api("logout-only").url}
    step = Runner(tmp_path, inputs, action=archive / "logout").main()
    assert (step.exit_code, step.log.annotations) == (0, [])
