"""Runs workflows under act, with the action of this checkout, against a fake API.

By default act runs the steps on the host. With ACT_PLATFORM=docker it runs them in containers,
from the images that tools/docker_engine.sh builds.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.fake_api import FakeApi
from tests.runner.checkout import ROOT, check_out

IN_CONTAINERS = os.environ.get("ACT_PLATFORM") == "docker"
TIMEOUT_SECONDS = 100


class Act:
    """Runs workflows under act, in a repository of their own in an empty folder."""

    def __init__(self, program: str, folder: Path) -> None:
        self.checkout = folder / "checkout"
        self.repository = folder / "repository"
        self.seen_file = folder / "shared" / "seen"
        self._program = program
        self._folder = folder
        self.seen_file.parent.mkdir()
        check_out(self.checkout)
        _commit_workflows(self.repository)

    def seen(self) -> str | None:
        """Return what the workflow's last step wrote, or None if it did not run."""
        return self.seen_file.read_text("utf-8") if self.seen_file.exists() else None

    def run(
        self,
        workflow: str,
        api: FakeApi,
        *arguments: str,
        event: str = "push",
        with_python: bool = True,
        cancel_when: Callable[[], bool] | None = None,
    ) -> int:
        """Run a workflow, cancel it as soon as `cancel_when` holds, and return the exit status."""
        command = [*self._command(workflow, api, event), *_platform(with_python=with_python)]
        path = os.environ["PATH"] if with_python or IN_CONTAINERS else self._path_with_node()
        environment = {"HOME": str(self._folder), "PATH": path, "ACT_DISABLE_VERSION_CHECK": "1"}
        if "DOCKER_HOST" in os.environ:
            environment["DOCKER_HOST"] = os.environ["DOCKER_HOST"]
        running = subprocess.Popen(
            [*command, *arguments], env=environment, stdin=subprocess.DEVNULL
        )
        try:
            if cancel_when:
                while not cancel_when():
                    assert running.poll() is None, "act ended before it could be canceled"
                    time.sleep(0.02)
                running.send_signal(signal.SIGINT)
            return running.wait(TIMEOUT_SECONDS)
        finally:
            running.kill()

    def _command(self, workflow: str, api: FakeApi, event: str) -> list[str]:
        shared = self.seen_file.parent
        return [
            *(self._program, event, "-C", str(self.repository)),
            *("-W", str(self.repository / workflow)),
            *("--rm", "--no-cache-server", "--action-cache-path", str(self._folder / "cache")),
            *("--local-repository", f"reoclo/docker-auth@v1={self.checkout}"),
            *("--container-options", f"-v {shared}:{shared}"),
            *("--env", f"SEEN_FILE={self.seen_file}"),
            *("--secret", "GITHUB_TOKEN=not-a-token-but-long-enough"),
            *("--secret", "REOCLO_API_KEY=rca_Zm9vYmFy0123456789"),
            *("--var", "REOCLO_SERVER_ID=11111111-2222-4333-8444-555555555555"),
            *("--var", "REOCLO_CREDENTIAL_ID=66666666-7777-4888-9999-000000000000"),
            *("--var", f"REOCLO_API_URL={api.url}"),
        ]

    def _path_with_node(self) -> str:
        """Create a folder with Node alone, as the PATH of a host that has no Python."""
        folder = self._folder / "bin"
        folder.mkdir()
        (folder / "node").symlink_to(str(shutil.which("node")))
        return str(folder)


def _platform(*, with_python: bool) -> list[str]:
    """Return the arguments that tell act where to run the steps."""
    image = "-self-hosted"
    if IN_CONTAINERS:
        image = f"docker-auth-act:{'with' if with_python else 'without'}-python"
    platforms = ["-P", f"ubuntu-latest={image}", "-P", f"self-hosted={image}"]
    return [*platforms, "--pull=false", "--container-daemon-socket", "-"]


def _commit_workflows(repository: Path) -> None:
    """Create a repository with a commit, because without one act logs dozens of errors."""
    shutil.copytree(ROOT / "tests" / "act" / "workflows", repository)
    git = ["git", "-C", str(repository), "-c", "user.name=test", "-c", "user.email=test@localhost"]
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "Workflows"]):
        subprocess.run([*git, *command], check=True)
