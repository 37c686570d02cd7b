"""Make lib/_vendor from its lock, or check that it still is what the lock says.

    python tools/vendor.py            replace lib/_vendor by the locked wheels, unpacked
    python tools/vendor.py --check    exit 1 if a byte, or a file, differs from them
    python tools/vendor.py --lock     write the hashes of the locked versions anew
    python tools/vendor.py --fetch    have the locked wheels at hand, and look no further

Wheels are taken from --wheels, where pip puts those that are missing, so that a check after
the first needs no network. A wheel is used only if its hash is in the lock.
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

# What a wheel brings and we do not ship, by the wheel's name.
DROPPED = {"actions_toolkit": ("tests/",)}
# Nothing of this kind may be shipped: it is compiled, or runs when Python starts.
REFUSED = (".so", ".pyd", ".dll", ".dylib", ".pyc", ".pth")

PURE = ("--only-binary=:all:", "--platform=any", "--implementation=py", "--abi=none")
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+)")
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")

Tree = dict[str, bytes]


class VendorError(Exception):
    """The tree, the lock and the wheels do not fit together."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Returns:
        0 if all is well, else 1.
    """
    options = _options(arguments)
    try:
        print(f"vendor: {_run(options)}")
    except VendorError as error:
        print(f"vendor: {error}", file=sys.stderr)
        return 1
    return 0


def _run(options: argparse.Namespace) -> str:
    """Do what is asked, and tell what holds then."""
    if options.lock:
        _write_lock(options.wheels)
        return f"{LOCK.relative_to(ROOT)} has the hashes"
    tree = locked_tree(options.wheels)
    if options.fetch:
        return f"the wheels of {LOCK.relative_to(ROOT)} are at hand"
    if options.check:
        check(TREE, tree)
    else:
        _replace(TREE, tree)
    return f"{TREE.relative_to(ROOT)} is what {LOCK.relative_to(ROOT)} says"


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="compare, and change nothing")
    mode.add_argument("--lock", action="store_true", help="write the lock's hashes anew")
    mode.add_argument("--fetch", action="store_true", help="only have the wheels at hand")
    parser.add_argument("--wheels", type=Path, default=WHEELS, help="where the wheels are kept")
    return parser.parse_args(arguments)


def locked_tree(wheels: Path) -> Tree:
    """Give the files that lib/_vendor must consist of, by their path in it.

    Raises:
        VendorError: a wheel is missing, not the locked one, or not fit to be shipped.
    """
    hashes = set(HASH.findall(LOCK.read_text("utf-8")))
    found = {_sha256(path): path for path in sorted(wheels.glob("*.whl"))}
    if not hashes <= found.keys():
        _download(wheels, "--require-hashes", f"--requirement={LOCK}")
        found = {_sha256(path): path for path in sorted(wheels.glob("*.whl"))}
    missing = hashes - found.keys()
    if missing:
        raise VendorError(f"no wheel with the locked hash {min(missing)}")
    tree: Tree = {}
    for digest in sorted(hashes):
        tree.update(_unpack(found[digest]))
    return tree


def check(directory: Path, expected: Tree) -> None:
    """Compare a directory with the files it must consist of.

    Raises:
        VendorError: names every file that is missing, foreign or changed.
    """
    actual = {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }
    names = sorted(actual.keys() | expected.keys())
    wrong = [name for name in names if actual.get(name) != expected.get(name)]
    if wrong:
        raise VendorError("not as published: " + ", ".join(wrong))


def _unpack(wheel: Path) -> Tree:
    name, _, tags = wheel.name.split("-", 2)
    if tags != "py3-none-any.whl":
        raise VendorError(f"{wheel.name} is not a pure Python wheel")
    with zipfile.ZipFile(wheel) as archive:
        files = {entry: archive.read(entry) for entry in archive.namelist() if entry[-1] != "/"}
    _check_record(wheel.name, files)
    shipped = {
        entry: content
        for entry, content in files.items()
        if not entry.startswith(DROPPED.get(name, ()))
    }
    refused = [entry for entry in shipped if entry.endswith(REFUSED)]
    if refused:
        raise VendorError(f"{wheel.name} has {refused[0]}, which may not be shipped")
    return shipped


def _check_record(wheel: str, files: Tree) -> None:
    """Hold each file of a wheel against the hash in its RECORD."""
    record = next(name for name in files if name.endswith(".dist-info/RECORD"))
    recorded = {row[0]: row[1] for row in csv.reader(io.StringIO(files[record].decode())) if row[1]}
    for name, content in files.items():
        if name != record and recorded.get(name) != _record_hash(content):
            raise VendorError(f"{wheel}: {name} is not what its RECORD says")


def _record_hash(content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest())
    return "sha256=" + digest.decode().rstrip("=")


def _replace(directory: Path, tree: Tree) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    for name, content in tree.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _download(wheels: Path, *what: str) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *PURE]
    command += ["--python-version=3.10", f"--dest={wheels}", *what]
    if subprocess.run(command, check=False).returncode != 0:
        raise VendorError("pip could not download the wheels; its own words are above")


def _write_lock(wheels: Path) -> None:
    lines = LOCK.read_text("utf-8").splitlines()
    pins = [match["name"] + "==" + match["version"] for match in map(PIN.match, lines) if match]
    comments = [line for line in lines if line.startswith("#")]
    _download(wheels, *pins)
    locked = [f"{pin} --hash=sha256:{_sha256(_wheel(wheels, pin))}" for pin in pins]
    LOCK.write_text("\n".join([*comments, *locked]) + "\n", "utf-8", newline="\n")


def _wheel(wheels: Path, pin: str) -> Path:
    name, _, version = pin.partition("==")
    stem = re.sub(r"[-_.]+", "_", name).lower()
    return wheels / f"{stem}-{version}-py3-none-any.whl"


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
