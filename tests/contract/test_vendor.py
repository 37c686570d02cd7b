"""The vendoring tool: what it must notice."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Copy what the tool works on."""
    for folder in ("tools", "lib/_vendor", ".wheels"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


def vendor(project: Path, *arguments: str) -> tuple[int, str]:
    """Run the tool in a project, without network: what it needs is in .wheels."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.vendor", *arguments],
        cwd=project,
        env={"PATH": "", "PIP_NO_INDEX": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


def test_a_tree_as_published_is_good(project: Path) -> None:
    """An untouched tree passes."""
    assert vendor(project, "--check") == (0, "")


@pytest.mark.parametrize("change", ["changed", "missing", "foreign"])
def test_each_difference_is_named(project: Path, change: str) -> None:
    """A byte more, a file less and a file more are each noticed and named."""
    path = project / "lib" / "_vendor" / "certifi" / "cacert.pem"
    if change == "changed":
        path.write_bytes(path.read_bytes() + b"\n")
    elif change == "missing":
        path.unlink()
    else:
        path = path.with_name("foreign.py")
        path.write_text("", "utf-8")

    code, error = vendor(project, "--check")

    assert code == 1
    assert f"certifi/{path.name}" in error


def test_the_tree_is_made_anew(project: Path) -> None:
    """Without an option the tool replaces the tree, whatever was in it."""
    (project / "lib" / "_vendor" / "requests" / "api.py").write_text("evil", "utf-8")

    assert vendor(project)[0] == 0
    assert vendor(project, "--check")[0] == 0


def test_the_wheels_can_be_had_while_the_tree_is_another(project: Path) -> None:
    """So that `make vendor` can begin after the lock has been changed; the tree is left alone."""
    path = project / "lib" / "_vendor" / "requests" / "api.py"
    path.write_text("older", "utf-8")

    assert vendor(project, "--fetch")[0] == 0
    assert path.read_text("utf-8") == "older"
    next((project / ".wheels").glob("idna-*.whl")).unlink()
    assert vendor(project, "--fetch")[0] == 1


def test_a_wheel_that_is_not_the_locked_one_is_not_used(project: Path) -> None:
    """A wheel whose hash is not in the lock is no wheel, whatever its name."""
    wheel = next((project / ".wheels").glob("idna-*.whl"))
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("idna/extra.py", "")

    code, error = vendor(project, "--check")

    assert code == 1
    assert "vendor:" in error


def test_the_locks_hashes_can_be_written_anew(project: Path) -> None:
    """--lock leaves a lock that is right as it is."""
    lock = project / "tools" / "vendored.txt"
    before = lock.read_text("utf-8")
    links = {"PIP_FIND_LINKS": str(project / ".wheels"), "PIP_NO_INDEX": "1", "PATH": ""}
    subprocess.run(
        [sys.executable, "-m", "tools.vendor", "--lock"],
        cwd=project,
        env={**links, "PYTHONDONTWRITEBYTECODE": "1"},
        check=True,
    )

    assert lock.read_text("utf-8") == before


def write_page(project: Path, *arguments: str) -> int:
    """Run the tool for the page about the libraries, and give its exit code."""
    command = [sys.executable, str(project / "tools" / "vendored_page.py"), *arguments]
    return subprocess.run(command, check=False, capture_output=True).returncode


def test_the_page_about_the_libraries_is_checked(project: Path) -> None:
    """The committed page is the one that would be written; another is noticed, and replaced."""
    assert write_page(project, "--check") == 0
    page = project / "tools" / "VENDORED.md"
    page.write_text(page.read_text("utf-8").replace("MIT", "GPL"), "utf-8")

    assert write_page(project, "--check") == 1
    assert write_page(project) == 0
    assert page.read_bytes() == (ROOT / "tools" / "VENDORED.md").read_bytes()


def test_the_page_names_every_library_with_its_hash() -> None:
    """Each line of the lock has its row, its licence and its hash on the page."""
    page = (ROOT / "tools" / "VENDORED.md").read_text("utf-8")
    lock = (ROOT / "tools" / "vendored.txt").read_text("utf-8")
    pins = [line for line in lock.splitlines() if "==" in line]

    assert len(pins) == len(list((ROOT / "lib" / "_vendor").glob("*.dist-info")))
    for pin in pins:
        name, _, rest = pin.partition("==")
        version, _, digest = rest.partition(" --hash=sha256:")
        assert f"| {name} | {version} |" in page
        assert digest in page
    assert page.count("LICENSE") == len(pins)
