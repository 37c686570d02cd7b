"""The examples, run by act with the fake API's address and a stand-in for reoclo/run."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.act.act import TIMEOUT_SECONDS, Act
from tests.conftest import Play
from tests.runner.checkout import ROOT

pytestmark = pytest.mark.act

SERVERS = ("11111111-2222-4333-8444-555555555555", "99999999-8888-4777-8666-555555555555")
API_URL = "          api_url: ${{ vars.REOCLO_API_URL }}\n"


class Example(NamedTuple):
    """What triggers an example, and what it has to do."""

    recordings: list[str]  # what the fake API plays
    seen: tuple[str, ...] = ()  # parts of what reoclo/run receives: servers and commands
    event: str = "push"


EXAMPLES = {
    "build-and-push": Example(["ghcr"], (SERVERS[0], "docker push ghcr.io/acme/shop:")),
    "gitea": Example(["ghcr"], (SERVERS[0], "docker build -t ghcr.io/acme/shop:")),
    "matrix": Example(["ghcr", "ghcr"], SERVERS, "workflow_dispatch"),
    "passthrough": Example(["passthrough"], ("docker push ghcr.io/acme/shop:",)),
    "self-hosted-api": Example(["ghcr"]),
    "several-registries": Example(["ghcr", "docker-hub"], ("docker tag ghcr.io/",), "release"),
    "shared-login": Example(
        ["login-only", "login-only", "login-only", "logout-only"],
        ("pull ghcr.io/acme/shop:", "pull ghcr.io/acme/mail:", "pull ghcr.io/acme/search:"),
        "workflow_dispatch",
    ),
}


def with_api_url(workflow: str) -> str:
    """Add the address of the fake API to each step that uses our actions and has none."""
    workflow = workflow.replace("uses: https://github.com/", "uses: ")
    for step in workflow.split("      - name: "):
        if "reoclo/docker-auth" in step and "api_url:" not in step:
            workflow = workflow.replace(step, f"{step.rstrip()}\n{API_URL}\n")
    return workflow


@pytest.mark.parametrize(
    "path", sorted((ROOT / "examples").glob("*.yml")), ids=lambda path: str(path.stem)
)
def test_example(fake_api: Play, act: Act, path: Path) -> None:
    """It logs in, passes its commands to reoclo/run, and logs out, as its recordings check."""
    example = EXAMPLES[path.stem]
    (act.repository / path.name).write_text(with_api_url(path.read_text("utf-8")), "utf-8")
    variables = {
        "REOCLO_GHCR_CREDENTIAL_ID": "66666666-7777-4888-9999-000000000000",
        "REOCLO_DOCKER_HUB_CREDENTIAL_ID": "66666666-7777-4888-9999-000000000000",
        "REOCLO_SERVER_IDS": json.dumps(SERVERS),
    }
    arguments = ["--local-repository", f"reoclo/run@v1={ROOT}/tests/act/stubs/run"]
    for name, value in variables.items():
        arguments += ["--var", f"{name}={value}"]
    api = fake_api(*example.recordings)
    assert act.run(path.name, api, *arguments, event=example.event) == 0
    seen = act.seen() or ""
    assert [part for part in example.seen if part not in seen] == []


def test_command_for_act_in_the_docs(fake_api: Play, act: Act, tmp_path: Path) -> None:
    """It runs as it is, in a checkout: the job logs in and out."""
    page = (ROOT / "fixtures" / "FAKE-API.md").read_text("utf-8")
    [command] = re.findall(r"```sh\n(act .*?)```", page, re.DOTALL)
    subprocess.run(
        ["bash", "-euc", command.replace("http://127.0.0.1:8080", fake_api("ghcr").url)],
        cwd=act.checkout,
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]},
        stdin=subprocess.DEVNULL,
        check=True,
        timeout=TIMEOUT_SECONDS,
    )
