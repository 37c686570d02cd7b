"""Scheduler that runs threads one at a time on a simulated clock."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NoReturn

MOST_SLEEPS = 20_000  # an actor that sleeps more often never ends
_threads = ThreadPoolExecutor(max_workers=100_000)  # a thread for each actor


class Killed(BaseException):
    """Raised in an actor that was killed."""


@dataclass(eq=False)
class Actor:
    """Thread that runs only while it has the baton."""

    name: str
    started_at: float
    wakes_at: float
    ended_at: float = 0.0
    sleeps: int = 0
    is_alive: bool = True
    is_killed: bool = False
    baton: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))


class Scheduler:
    """Runs actors until all have ended. `current` is the one that runs, at the time `now`."""

    def __init__(self) -> None:
        self.now = 0.0
        self.log: list[str] = []
        self.actors: dict[str, Actor] = {}
        self.current = Actor("none", 0.0, 0.0)
        self._futures: list[Future[None]] = []

    def spawn(self, name: str, body: Callable[[], None], delay: float = 0.0) -> None:
        """Add an actor that starts after a delay in seconds."""
        actor = self.actors[name] = Actor(name, self.now + delay, self.now + delay)
        self._futures.append(_threads.submit(self._live, actor, body))

    def run_actors(self) -> None:
        """Run the actors until all have ended, or raise what one of them raised."""
        self._pass_baton()
        for future in self._futures:  # an actor may add another one
            future.result()

    def sleep(self, seconds: float) -> None:
        """Let time pass for the current actor; after 0 s another one that is ready runs first."""
        self.raise_if_killed()
        actor = self.current
        actor.sleeps += 1
        actor.wakes_at = self.now + seconds
        if self._following() is not actor:
            self._pass_baton()
            actor.baton.acquire()
        self.now = max(self.now, actor.wakes_at)
        self.raise_if_killed()

    def note(self, text: str) -> None:
        """Add a line to the log."""
        self.log.append(f"{self.now:7.2f} {self.current.name:4} {text}")

    def kill(self) -> NoReturn:
        """Kill the current actor. Its `finally` blocks run, but must have no effect."""
        self.current.is_killed = True
        raise Killed

    def raise_if_killed(self) -> None:
        """Raise if nothing that the current actor does has an effect anymore."""
        if self.current.is_killed or self.current.sleeps > MOST_SLEEPS:
            raise Killed

    def is_other_ready(self) -> bool:
        """Return whether another actor could run now."""
        others = (actor for actor in self.actors.values() if actor is not self.current)
        return any(other.is_alive and other.wakes_at <= self.now for other in others)

    def _live(self, actor: Actor, body: Callable[[], None]) -> None:
        actor.baton.acquire()
        self.now = max(self.now, actor.wakes_at)
        try:
            with suppress(Killed):
                body()
        finally:
            actor.is_alive, actor.ended_at = False, self.now
            self._pass_baton()

    def _following(self) -> Actor | None:
        alive = [actor for actor in self.actors.values() if actor.is_alive]
        return min(alive, key=lambda actor: (actor.wakes_at, actor is self.current), default=None)

    def _pass_baton(self) -> None:
        if following := self._following():
            self.current = following
            following.baton.release()
