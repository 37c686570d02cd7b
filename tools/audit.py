"""Check the packages in lib/_vendor for known vulnerabilities.

    python -m tools.audit                 query OSV
    python -m tools.audit --url ADDRESS   query another service with OSV's querybatch API

Exits 1 if a vulnerability is known, but 0 if OSV is down, because that must not block a change.
"""

from __future__ import annotations

import argparse
import json
import sys
import urllib.request
from http.client import HTTPException

from tools.vendor import pins

OSV = "https://api.osv.dev/v1/querybatch"


class AuditError(Exception):
    """The service did not respond, or its response is invalid."""


def vulnerabilities(packages: list[tuple[str, str]], url: str) -> dict[tuple[str, str], list[str]]:
    """Return the known vulnerabilities of each package that has any."""
    queries = [{"package": {"name": n, "ecosystem": "PyPI"}, "version": v} for n, v in packages]
    body = json.dumps({"queries": queries}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            results = json.load(response)["results"]
        found = {
            package: [entry["id"] for entry in result.get("vulns", [])]
            + ["and more"] * bool(result.get("next_page_token"))
            for package, result in zip(packages, results, strict=True)
        }
    except (OSError, HTTPException, ValueError, LookupError, TypeError, AttributeError) as error:
        raise AuditError(f"no usable response from {url}: {error!r}") from error
    return {package: ids for package, ids in found.items() if ids}


def main() -> int:
    """Run the command line, and return the exit code."""
    parser = argparse.ArgumentParser(description="Check lib/_vendor for known vulnerabilities.")
    parser.add_argument("--url", default=OSV, help="the service's querybatch (%(default)s)")
    try:
        known = vulnerabilities(pins(), parser.parse_args().url)
    except AuditError as error:
        print(f"audit: skipped, because {error}")
        return 0
    for (name, version), ids in known.items():
        print(f"audit: {name} {version} is vulnerable: {', '.join(ids)}", file=sys.stderr)
    print(f"audit: {len(pins())} vendored packages, {len(known)} with known vulnerabilities")
    return 1 if known else 0


if __name__ == "__main__":
    sys.exit(main())
