"""Recreate lib/_vendor from its lock, tools/vendored.txt, or check it against the lock.

    python tools/vendor.py            replace lib/_vendor with the locked wheels, unpacked
    python tools/vendor.py --check    exit 1 if a file is missing, changed or unexpected
    python tools/vendor.py --lock     write the hashes of the locked versions
    python tools/vendor.py --fetch    download the locked wheels only

Wheels are kept in .wheels, and used only if their hash is in the lock.
"""

from __future__ import annotations

import argparse
import base64
import csv
import hashlib
import io
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TREE = ROOT / "lib" / "_vendor"
LOCK = ROOT / "tools" / "vendored.txt"
WHEELS = ROOT / ".wheels"
# Files of a wheel that are not shipped, by the wheel's name.
DROPPED = {"actions_toolkit": ("tests/",)}
# Never shipped: compiled code, and files that run when Python starts.
FORBIDDEN = (".so", ".pyd", ".dll", ".dylib", ".pyc", ".pth")
PURE = ("--only-binary=:all:", "--platform=any", "--implementation=py", "--abi=none")
PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")

Tree = dict[str, bytes]


class VendorError(Exception):
    """Tree, lock and wheels do not match."""


def pins() -> list[tuple[str, str]]:
    """Return name and version of each locked package."""
    return PIN.findall(LOCK.read_text("utf-8"))


def locked_tree() -> Tree:
    """Return the files that lib/_vendor must consist of, by path."""
    hashes = set(HASH.findall(LOCK.read_text("utf-8")))
    if not hashes <= _wheels().keys():
        _download("--require-hashes", f"--requirement={LOCK}")
    wheels = _wheels()
    if missing := hashes - wheels.keys():
        raise VendorError(f"no wheel with the locked hash {min(missing)}")
    return {path: content for name in hashes for path, content in _unpack(wheels[name]).items()}


def _wheels() -> dict[str, Path]:
    return {_sha256(path).hex(): path for path in WHEELS.glob("*.whl")}


def _sha256(file: Path) -> bytes:
    return hashlib.sha256(file.read_bytes()).digest()


def _unpack(wheel: Path) -> Tree:
    name, _, tags = wheel.name.split("-", 2)
    if tags != "py3-none-any.whl":
        raise VendorError(f"{wheel.name} is not a pure Python wheel")
    with zipfile.ZipFile(wheel) as archive:
        files = {entry: archive.read(entry) for entry in archive.namelist() if entry[-1] != "/"}
    _check_record(wheel.name, files)
    kept = {path: files[path] for path in files if not path.startswith(DROPPED.get(name, ()))}
    if forbidden := [path for path in kept if path.endswith(FORBIDDEN)]:
        raise VendorError(f"{wheel.name} contains {forbidden[0]}, which must not be shipped")
    return kept


def _check_record(wheel: str, files: Tree) -> None:
    """Check each file of a wheel against its hash in RECORD."""
    record = next(path for path in files if path.endswith(".dist-info/RECORD"))
    rows = csv.reader(io.StringIO(files[record].decode()))
    expected = {row[0]: row[1] for row in rows if row[1]}
    for path in files.keys() - {record}:
        digest = base64.urlsafe_b64encode(hashlib.sha256(files[path]).digest()).decode()
        if expected.get(path) != "sha256=" + digest.rstrip("="):
            raise VendorError(f"{wheel}: {path} does not match RECORD")


def check(expected: Tree) -> None:
    """Raise an error that names each missing, changed or unexpected file of lib/_vendor."""
    paths = [path for path in TREE.rglob("*") if path.is_file()]
    actual = {path.relative_to(TREE).as_posix(): path.read_bytes() for path in paths}
    names = sorted(actual.keys() | expected.keys())
    if wrong := [name for name in names if actual.get(name) != expected.get(name)]:
        raise VendorError("differs from the published wheels: " + ", ".join(wrong))


def replace(tree: Tree) -> None:
    """Replace lib/_vendor."""
    shutil.rmtree(TREE, ignore_errors=True)
    for name, content in tree.items():
        (TREE / name).parent.mkdir(parents=True, exist_ok=True)
        (TREE / name).write_bytes(content)


def _download(*what: str) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *PURE]
    command += ["--python-version=3.10", f"--dest={WHEELS}", *what]
    if subprocess.run(command, check=False).returncode:
        raise VendorError("pip could not download the wheels, for the reason it printed above")


def lock() -> None:
    """Write the hashes of the locked versions."""
    _download(*("==".join(pin) for pin in pins()))
    lines = [line for line in LOCK.read_text("utf-8").splitlines() if line.startswith("#")]
    for name, version in pins():
        [wheel] = WHEELS.glob(f"{re.sub(r'[-_.]+', '_', name).lower()}-{version}-*.whl")
        lines.append(f"{name}=={version} --hash=sha256:{_sha256(wheel).hex()}")
    LOCK.write_text("\n".join(lines) + "\n", "utf-8", newline="\n")


def main() -> int:
    """Run the command line, and return the exit code."""
    parser = argparse.ArgumentParser(description="Recreate or check lib/_vendor.")
    for name in ("check", "lock", "fetch"):
        parser.add_argument(f"--{name}", action="store_true")
    options = parser.parse_args()
    try:
        if options.lock:
            lock()
        tree = locked_tree()
        if options.check:
            check(tree)
        elif not (options.lock or options.fetch):
            replace(tree)
    except VendorError as error:
        print(f"vendor: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
