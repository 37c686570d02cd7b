"""Scheduler of a simulation: choices, simulated time, and actors that pass one baton."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

MOST_SLEEPS = 20_000  # an actor that sleeps more often never ends
Pick = Callable[[str, tuple[str, ...]], int]
_threads = ThreadPoolExecutor(max_workers=2)


class Killed(BaseException):
    """Raised in an actor that was killed, at each of its scheduling points."""


@dataclass
class Actor:
    """Process of the job. It runs only while it has the baton."""

    name: str
    started_at: float
    wakes_at: float
    ended_at: float = 0.0
    is_alive: bool = True
    is_killed: bool = False
    baton: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))


class World:
    """Simulated time and the actors in it. The choices are `given`, then those of `pick`.

    `points` are the choice points so far: label, options and index of the one that was chosen.
    """

    def __init__(self, given: Sequence[int] = (), pick: Pick = lambda *_: 0) -> None:
        self._given, self._pick = given, pick
        self.points: list[tuple[str, tuple[str, ...], int]] = []
        self.now, self.sleeps = 0.0, 0
        self.log: list[str] = []
        self.actors: dict[str, Actor] = {}
        self.current = Actor("none", 0.0, 0.0)
        self._ended = threading.Semaphore(0)
        self._error: BaseException | None = None

    def on_end(self) -> None:
        """Handle the end of the current actor."""

    def choose(self, label: str, options: tuple[str, ...]) -> str:
        """Return what happens at a choice point."""
        at = len(self.points)
        index = self._given[at] if at < len(self._given) else self._pick(label, options)
        self.points.append((label, options, index))
        if index:
            self.note(f"[{label}: {options[index]}]")
        return options[index]

    def note(self, text: str) -> None:
        """Add a line to the world's log."""
        self.log.append(f"{self.now:7.2f} {self.current.name:4} {text}")

    def spawn(self, name: str, body: Callable[[], None], delay: float = 0.0) -> None:
        """Add an actor that starts after a delay."""
        self.actors[name] = Actor(name, self.now + delay, self.now + delay)
        _threads.submit(self._live, self.actors[name], body)

    def run_actors(self) -> None:
        """Run the actors until all have ended."""
        self._pass_baton()
        self._ended.acquire()
        if self._error:
            raise self._error

    def raise_if_killed(self) -> None:
        """Raise if nothing that the current actor does has an effect anymore."""
        if self.current.is_killed or self.sleeps > MOST_SLEEPS:
            raise Killed

    def sleep(self, seconds: float) -> None:
        """Let time pass for the current actor; after 0 s another one that is ready runs first."""
        self.raise_if_killed()
        self.sleeps += 1
        actor = self.current
        actor.wakes_at = self.now + seconds
        if self._following() is not actor:
            self._pass_baton()
            actor.baton.acquire()
        self.now = max(self.now, actor.wakes_at)
        self.raise_if_killed()

    def is_other_ready(self) -> bool:
        """Return whether the other actor could run now."""
        others = (actor for actor in self.actors.values() if actor is not self.current)
        return any(other.is_alive and other.wakes_at <= self.now for other in others)

    def _live(self, actor: Actor, body: Callable[[], None]) -> None:
        actor.baton.acquire()
        self.now = max(self.now, actor.wakes_at)
        try:
            body()
        except Killed:
            self.note("killed")
        except BaseException as error:  # noqa: BLE001 `run_actors` raises it
            self._error = error
        actor.is_alive, actor.ended_at = False, self.now
        self.on_end()
        self._pass_baton()

    def _following(self) -> Actor | None:
        alive = [actor for actor in self.actors.values() if actor.is_alive]
        return min(alive, key=lambda a: (a.wakes_at, a is self.current), default=None)

    def _pass_baton(self) -> None:
        following = self._following()
        self.current = following or self.current
        (following.baton if following else self._ended).release()
