"""The examples, run by act as they are but for the API's address and a stand-in for reoclo/run."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.act.test_act import TIMEOUT_SECONDS, Act, act
from tests.conftest import Play
from tests.fake_api import FakeApi
from tests.runner.checkout import ROOT

__all__ = ["act"]  # the fixture

pytestmark = pytest.mark.act

STUB = ROOT / "tests" / "act" / "stubs" / "run"
SERVERS = ("11111111-2222-4333-8444-555555555555", "99999999-8888-4777-8666-555555555555")
CREDENTIAL = "66666666-7777-4888-9999-000000000000"
ADDRESS = "          api_url: ${{ vars.REOCLO_API_URL }}\n"
EVENTS = {
    "several-registries": "release",
    "shared-login": "workflow_dispatch",
    "matrix": "workflow_dispatch",
}


RunExample = Callable[[str, FakeApi], int]


@pytest.fixture
def run_example(act: Act, tmp_path: Path) -> RunExample:
    """Give a function that runs an example against a fake API, and gives act's exit status."""

    def run(name: str, api: FakeApi) -> int:
        text = (ROOT / "examples" / f"{name}.yml").read_text("utf-8")
        (tmp_path / "repository" / "example.yml").write_text(pointed_here(text), "utf-8")
        arguments = ["--local-repository", f"reoclo/run@v1={STUB}"]
        arguments += ["-P", "self-hosted=-self-hosted", "--env", f"SEEN_FILE={act.seen_file}"]
        arguments += ["--var", f"REOCLO_GHCR_CREDENTIAL_ID={CREDENTIAL}"]
        arguments += ["--var", f"REOCLO_DOCKER_HUB_CREDENTIAL_ID={CREDENTIAL}"]
        arguments += ["--var", f"REOCLO_SERVER_IDS={json.dumps(SERVERS)}"]
        event = EVENTS.get(name, "push")
        return act.begin("example.yml", api, *arguments, event=event).wait(TIMEOUT_SECONDS)

    return run


def pointed_here(text: str) -> str:
    """Give each use of our actions the address of the fake API, where it has none yet."""
    text = text.replace("uses: https://github.com/", "uses: ")
    steps = text.split("      - name: ")
    ours = [step for step in steps if "reoclo/docker-auth" in step and "api_url:" not in step]
    for step in ours:
        text = text.replace(step, step.rstrip() + "\n" + ADDRESS + "\n")
    return text


def asked(api: FakeApi) -> Counter[str]:
    """Count the logins and logouts that were asked for."""
    return Counter(entry.operation.removeprefix("registry_") for entry in api.audit_trail)


PLAYED = {
    "build-and-push": (["ghcr"], "docker push ghcr.io/acme/shop:"),
    "several-registries": (["ghcr", "docker-hub"], "docker tag ghcr.io/acme/shop:"),
    "passthrough": (["passthrough"], "docker push ghcr.io/acme/shop:latest"),
    "gitea": (["ghcr"], "docker build -t ghcr.io/acme/shop:latest"),
}


@pytest.mark.parametrize("name", PLAYED)
def test_an_example_logs_in_runs_its_command_and_logs_out(
    fake_api: Play, act: Act, run_example: RunExample, name: str
) -> None:
    """Its command reaches reoclo/run with the server, between as many logins and logouts."""
    recordings, command = PLAYED[name]
    api = fake_api(*recordings)

    assert run_example(name, api) == 0
    server, *commands = act.seen_file.read_text("utf-8").splitlines()
    assert server == SERVERS[0]
    assert any(line.startswith(command) for line in commands)
    assert asked(api) == {"login": len(recordings), "logout": len(recordings)}


def test_the_example_of_a_self_hosted_api_asks_that_api(
    fake_api: Play, run_example: RunExample
) -> None:
    """It logs in and out at the address of its variable, on a self-hosted runner."""
    api = fake_api("ghcr")

    assert run_example("self-hosted-api", api) == 0
    assert asked(api) == {"login": 1, "logout": 1}


def test_the_example_of_a_shared_login_logs_out_once(
    fake_api: Play, act: Act, run_example: RunExample
) -> None:
    """Three jobs log in, each pulls its service, and the last job alone logs out, at the end."""
    api = fake_api(*["login-only"] * 3, "logout-only")

    assert run_example("shared-login", api) == 0
    pulled = act.seen_file.read_text("utf-8")
    assert all(f"docker pull ghcr.io/acme/{name}:latest" in pulled for name in ("shop", "search"))
    assert [entry.operation for entry in api.audit_trail] == [
        *["registry_login"] * 3,
        "registry_logout",
    ]


def test_the_example_of_a_matrix_serves_each_server(
    fake_api: Play, act: Act, run_example: RunExample
) -> None:
    """Each server of the list is logged in, pulls, and is logged out."""
    api = fake_api("ghcr", "ghcr")

    assert run_example("matrix", api) == 0
    assert set(SERVERS) <= set(act.seen_file.read_text("utf-8").splitlines())
    assert {(entry.operation, entry.server_id) for entry in api.audit_trail} == {
        (operation, server)
        for operation in ("registry_login", "registry_logout")
        for server in SERVERS
    }


def test_every_example_is_run() -> None:
    """No example goes without a run."""
    names = {path.stem for path in (ROOT / "examples").glob("*.yml")}

    text = Path(__file__).read_text("utf-8").partition("PLAYED = {")[2]
    assert [name for name in names if f'"{name}"' not in text] == []


@pytest.mark.usefixtures("act")
def test_the_page_about_the_fake_api_has_the_command_for_act(
    fake_api: Play, tmp_path: Path
) -> None:
    """The command runs as it stands there, in this checkout: the job logs in and out."""
    page = (ROOT / "fixtures" / "FAKE-API.md").read_text("utf-8")
    [command] = re.findall(r"```sh\n(act .*?)```", page, re.DOTALL)
    api = fake_api("ghcr")

    subprocess.run(
        ["bash", "-euc", command.replace("http://127.0.0.1:8080", api.url)],
        cwd=ROOT,
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]},
        stdin=subprocess.DEVNULL,
        check=True,
        timeout=TIMEOUT_SECONDS,
    )
    assert asked(api) == {"login": 1, "logout": 1}
