"""lib/_vendor is the locked wheels, unpacked, and tools/vendor.py reports any difference."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tools.vendor import pins

ROOT = Path(__file__).resolve().parents[2]
VENDORED = ROOT / "lib" / "_vendor"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Copy the files that the tool works on."""
    for folder in ("tools", "lib/_vendor", ".wheels"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


def vendor(project: Path, *arguments: str) -> tuple[int, str]:
    """Run the tool without a network, because all wheels are in .wheels."""
    env = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(project / ".wheels"), "PATH": ""}
    command = [sys.executable, "-B", "-m", "tools.vendor", *arguments]
    done = subprocess.run(
        command, cwd=project, env=env, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr


def test_each_difference_is_reported_and_repaired(project: Path) -> None:
    folder = project / "lib" / "_vendor" / "certifi"
    (folder / "cacert.pem").unlink()
    for name in ("core.py", "unexpected.py"):
        (folder / name).write_text("# changed", "utf-8")
    code, error = vendor(project, "--check")
    assert code == 1
    assert re.findall(r"certifi/(\w+\.\w+)", error) == ["cacert.pem", "core.py", "unexpected.py"]
    assert vendor(project) == (0, "")
    assert vendor(project, "--check") == (0, "")


def test_wheel_with_another_hash_is_not_used(project: Path) -> None:
    wheel = next((project / ".wheels").glob("idna-*.whl"))
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("idna/extra.py", "")
    assert vendor(project, "--fetch")[0] == 1
    assert vendor(project, "--check")[0] == 1


def test_lock_writes_the_same_hashes_again(project: Path) -> None:
    lock = project / "tools" / "vendored.txt"
    before = lock.read_text("utf-8")
    lock.write_text(re.sub(r" --hash=\S+", "", before), "utf-8")
    assert vendor(project, "--lock") == (0, "")
    assert lock.read_text("utf-8") == before


def test_docs_list_each_library_with_version_and_license() -> None:
    page = (ROOT / "docs" / "vendored.md").read_text("utf-8")
    row = re.compile(r"^\| \[(\S+)\]\(https://\S+\) \| (\S+) \| (\S+) \| \w.+ \|$", re.MULTILINE)
    rows = row.findall(page)
    assert [row[:2] for row in rows] == pins()
    for name, version, license_ in rows:
        folder = VENDORED / f"{name.replace('-', '_')}-{version}.dist-info"
        metadata = (folder / "METADATA").read_text("utf-8")
        assert re.search(rf"^License(-Expression)?: {license_}$", metadata, re.MULTILINE)
        assert list(folder.rglob("LICENSE*"))
