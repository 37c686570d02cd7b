"""The stop file: who is first, main or post, where no signal arrives.

In a job container a cancellation ends only the runner's `docker exec` client. Main keeps running
beside post, and could log in after post found nothing to do. Two files beside GITHUB_STATE, in the
folder that all steps of a job share, prevent that: main appends each state to its state file, looks
for a stop file, and sends the login request only if there is none. Post creates the stop file, and
then reads the newest state. So main sends nothing, or its state is on disk already and post finds
it. The order, not the timing, makes that certain. Later, main takes a stop file for a cancellation.

Post names the id of its login in the stop file's name, so that the inner steps of a composite
action, which share GITHUB_ACTION, do not stop each other, and a file left by an earlier job has no
effect. If the runner lost the state, post stops every login of the step.
"""

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lib.formats import is_uuid
from lib.runner.commands import append_whole

_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_LONGEST_STATE_FILE = 64 * 1024  # at most five states, each shorter than 4 KiB


@dataclass(frozen=True, slots=True)
class StepFiles:
    """The stop file and the state files of a step."""

    folder: Path | None  # of the runner's command files, if there is one
    step: str  # the runner's name for the step
    login_id: str  # of this run of main, empty if unknown

    def is_stopped(self) -> bool:
        """Return whether post has started."""
        return any(os.path.lexists(path) for path in self._stop_files())

    def stop(self) -> None:
        """Create the stop file. Post continues without one where the folder is not writable."""
        for path in self._stop_files()[-1:]:
            with suppress(OSError):
                flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | _NOFOLLOW
                os.close(os.open(path, flags, 0o600))

    def append_state(self, state: str) -> None:
        """Append a state to the state file, which only its owner can read."""
        if path := self._state_file():
            with suppress(OSError):  # without the file post relies on the runner, as on a host
                append_whole(path, state.encode("utf-8") + b"\n", flags=_NOFOLLOW)

    def newest_state(self) -> str:
        """Return the last complete line of the login's state file, or if unknown, the newest."""
        with suppress(OSError):
            path = self._state_file() or self._newest_state_file()
            if not path:
                return ""
            descriptor = os.open(path, os.O_RDONLY | _NOFOLLOW | getattr(os, "O_NONBLOCK", 0))
            with os.fdopen(descriptor, "rb") as file:
                lines = (file.read(_LONGEST_STATE_FILE) or b"").split(b"\n")[:-1]
            return lines[-1].decode("utf-8", "replace") if lines else ""
        return ""

    def remove_state(self) -> None:
        """Remove the state file."""
        if path := self._state_file():
            with suppress(OSError):
                path.unlink()

    def _prefix(self) -> str:
        return f"docker-auth-{hashlib.sha256(self.step.encode()).hexdigest()[:16]}"

    def _stop_files(self) -> list[Path]:
        if self.folder is None:
            return []
        names = [f"{self._prefix()}.stop"]
        if is_uuid(self.login_id):
            names.append(f"{self._prefix()}-{self.login_id}.stop")
        return [self.folder / name for name in names]

    def _state_file(self) -> Path | None:
        if self.folder is None or not is_uuid(self.login_id):
            return None
        return self.folder / f"{self._prefix()}-{self.login_id}.state"

    def _newest_state_file(self) -> Path | None:
        found = self.folder.glob(f"{self._prefix()}-*.state") if self.folder else ()
        files = [path for path in found if path.is_file() and not path.is_symlink()]
        return max(files, key=lambda path: path.lstat().st_mtime, default=None)
