"""Ask a service of known vulnerabilities about the wheels that lib/_vendor is made of.

    python -m tools.audit                 ask OSV about tools/vendored.txt
    python -m tools.audit --url ADDRESS   ask another service that has OSV's querybatch

Exits 1 if one is known. Without an answer it says so and exits 0: whether a change may land
must not depend on somebody else's service.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import urllib.request
from typing import Any

from tools.vendor import LOCK, PIN

OSV = "https://api.osv.dev/v1/querybatch"
TIMEOUT_SECONDS = 10

Pin = tuple[str, str]


class NoAnswerError(Exception):
    """The service could not be asked, or what came is not its answer."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Returns:
        1 if a vulnerability is known, else 0.
    """
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--url", default=OSV, help="the service's querybatch (%(default)s)")
    url = parser.parse_args(arguments).url
    lines = LOCK.read_text("utf-8").splitlines()
    pins = [(pin["name"], pin["version"]) for pin in map(PIN.match, lines) if pin]
    try:
        known = vulnerabilities(pins, url)
    except NoAnswerError as error:
        print(f"audit: NOT DONE, so nothing is known about {LOCK.name}: {error}")
        return 0
    for (name, version), names in known.items():
        print(f"audit: {name} {version} is vulnerable: {', '.join(names)}", file=sys.stderr)
    print(f"audit: {len(pins)} vendored packages, {len(known)} of them known to be vulnerable")
    return 1 if known else 0


def vulnerabilities(pins: list[Pin], url: str) -> dict[Pin, list[str]]:
    """Give the names of the vulnerabilities that are known of each pin that has one.

    Raises:
        NoAnswerError: the service did not answer, or not as OSV does.
    """
    queries = [{"package": {"name": n, "ecosystem": "PyPI"}, "version": v} for n, v in pins]
    body = json.dumps({"queries": queries}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            results = json.load(answer)["results"]
        found = zip(pins, map(_names, results), strict=True)
        return {pin: names for pin, names in found if names}
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswerError(f"{url} did not answer: {error}") from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise NoAnswerError(f"{url} did not answer as OSV does") from error


def _names(result: dict[str, Any]) -> list[str]:
    more = ["more, on a further page"] if result.get("next_page_token") else []
    return [known["id"] for known in result.get("vulns", [])] + more


if __name__ == "__main__":
    sys.exit(main())
