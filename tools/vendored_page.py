"""Write tools/VENDORED.md, the page about the libraries in lib/_vendor, or check it.

    python tools/vendored_page.py            write the page
    python tools/vendored_page.py --check    exit 1 if it is not what would be written

What it says of a library comes from the metadata that its wheel brings, and from the lock;
only why the library is here is written below.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from email import message_from_string
from email.message import Message
from email.utils import getaddresses
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TREE = ROOT / "lib" / "_vendor"
LOCK = ROOT / "tools" / "vendored.txt"
PAGE = ROOT / "tools" / "VENDORED.md"

WHY = {
    "actions-toolkit": "Knows the grammar of the runner's commands and files. Used by "
    "`lib/workflow.py`; its dependency PyGithub and its stray package `tests` are left out.",
    "backoff": "Tries again, and asks again. Used by `lib/retry.py`.",
    "certifi": "Certificates of public CAs, for runners whose own trust store is missing or old. "
    "Used by requests.",
    "idna": "Names of hosts that are not ASCII. Required by requests.",
    "requests": "Sends the requests. Used by `lib/transport.py`; its dependency "
    "charset-normalizer, which guesses encodings, is left out.",
    "truststore": "Asks the system whom it trusts. Used by `lib/trust.py`.",
    "urllib3": "Connections, TLS and proxies. Required by requests.",
}
HEAD = """\
# Libraries in lib/_vendor

Written by `python tools/vendored_page.py` from the wheels' own metadata and from
[the lock](vendored.txt); `make check` holds it. Each wheel is unpacked byte for byte as published
on the Python Package Index, is pure Python, and brings its licence with it. `make vendor` makes
the folder anew from wheels with these hashes, and `make check` compares every byte.

| library | version | published by | licence | source | why it is here |
|---|---|---|---|---|---|
"""
HASHES = """
## Hashes of the wheels (SHA-256)

"""
_PIN = re.compile(
    r"^(?P<name>[\w.-]+)==(?P<version>\S+) --hash=sha256:(?P<hash>\w+)$", re.MULTILINE
)


def main(arguments: list[str]) -> int:
    """Run the command line.

    Returns:
        0 if the page is as it should be, else 1.
    """
    expected = page()
    if arguments != ["--check"]:
        PAGE.write_text(expected, "utf-8", newline="\n")
    elif not PAGE.exists() or PAGE.read_text("utf-8") != expected:
        print("tools/VENDORED.md is not up to date: run make vendor", file=sys.stderr)
        return 1
    return 0


def page() -> str:
    """Put the page together."""
    pins = list(_PIN.finditer(LOCK.read_text("utf-8")))
    rows = [_row(pin["name"], pin["version"]) for pin in pins]
    hashes = [f"- {pin['name']} {pin['version']}: `{pin['hash']}`" for pin in pins]
    return HEAD + "\n".join(rows) + "\n" + HASHES + "\n".join(hashes) + "\n"


def _row(name: str, version: str) -> str:
    folder = TREE / f"{name.replace('-', '_')}-{version}.dist-info"
    about = message_from_string((folder / "METADATA").read_text("utf-8"))
    licences = ", ".join(_licences(folder, about["License-Expression"] or about["License"]))
    cells = [name, version, ", ".join(_people(about)), licences, _source(about), WHY[name]]
    return "| " + " | ".join(cells) + " |"


def _people(about: Message) -> Iterator[str]:
    """Give the names of those that a wheel names as its authors and maintainers."""
    named = [about[field] for field in ("Author", "Maintainer") if about[field]]
    addresses = [about[field] or "" for field in ("Author-email", "Maintainer-email")]
    yield from dict.fromkeys([*named, *(person for person, _ in getaddresses(addresses) if person)])


def _licences(folder: Path, name: str) -> Iterator[str]:
    files = (path for path in sorted(folder.rglob("*")) if path.name.startswith("LICENSE"))
    for path in files:
        yield f"[{name}](../{path.relative_to(ROOT).as_posix()})"


def _source(about: Message) -> str:
    links = dict(entry.split(", ", 1) for entry in about.get_all("Project-URL", []))
    known = (links.get(label) for label in ("Source", "Code", "Repository"))
    return next((link for link in known if link), about["Home-page"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
