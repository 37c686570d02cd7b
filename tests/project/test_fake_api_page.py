"""The page about the fake API: its commands, options and scenarios exist."""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
import sys

from tests.fake_api import names
from tests.project.test_fake_api import run
from tests.runner.checkout import ROOT

PAGE = (ROOT / "fixtures" / "FAKE-API.md").read_text("utf-8")


def test_page_describes_curl_and_the_server() -> None:
    start, curl, _ = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    with run(*shlex.split(start.splitlines()[2].replace("8080", "0"))[2:]) as server:
        assert server.stdout
        script = curl.replace("http://127.0.0.1:8080", server.stdout.readline().split()[-1])
        done = subprocess.run(["bash", "-euc", script], capture_output=True, check=True, text=True)
        server.send_signal(signal.SIGINT)
        output, _ = server.communicate(timeout=20)
    statuses = [json.loads(line)["status"] for line in done.stdout.splitlines()]
    assert statuses == ["running", "completed", "running"]
    assert "registry_logout  accepted" in output


def test_page_lists_options_and_scenarios() -> None:
    with run("tests.fake_api", "--help") as helped, run("tests.fake_api", "--list") as listed:
        told, titles = (process.communicate(timeout=20)[0] for process in (helped, listed))
    options = set(re.findall(r"^  (?:\S+, )?(--\w+)", told, re.MULTILINE))
    assert set(re.findall(r"^\| `(--\w+)`", PAGE, re.MULTILINE)) == options
    assert [line.split()[0] for line in titles.splitlines()] == names()
    table = "".join(re.findall(r"^\| (`[a-z][^|]*) \|", PAGE, re.MULTILINE))
    assert "`ghcr`" in table
    assert set(re.findall(r"`([\w-]+)`", table)) <= set(names())


def test_example_for_tests_runs() -> None:
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, text=True)
    assert done.stdout.startswith("http://127.0.0.1:")
    assert "AssertionError: missing: a login for ghcr" in done.stderr
