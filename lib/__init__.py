"""The action's own code. `main.py`, `post.py` and `logout/main.py` are its entry points.

Importing this package rejects an interpreter that cannot run the action, so that the launcher
starts the next one, and puts the vendored libraries first on the path. Both must come before any
other import. Python 2.7 must be able to parse this file, because it gets as far as the check.
"""

import os
import sys

# The exit codes that lib/launcher/run.cjs expects. They lie between 128 plus the last signal
# and 200, where systemd begins, so that no shell and no system uses them.
SUCCEEDED, FAILED, CANCELED, TOO_OLD, UNUSABLE = 193, 194, 195, 196, 197

_by_code = os.environ.get("DOCKER_AUTH_EXIT_CODES") == "1"

if sys.version_info < (3, 10):
    sys.exit(TOO_OLD if _by_code else "reoclo/docker-auth needs Python 3.10 or later.")

import importlib.util  # noqa: E402 Python 2.7 does not have it

# What some builds and minimal packages of Python lack.
_needed = ("asyncio", "_socket", "select", "_ssl", "zlib", "json", "email", "http", "urllib")
_missing = ", ".join(name for name in _needed if importlib.util.find_spec(name) is None)
if _missing:
    sys.exit(UNUSABLE if _by_code else "reoclo/docker-auth needs a Python with " + _missing + ".")

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "_vendor"))
