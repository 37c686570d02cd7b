"""A limit on the requests of each key, as an API gateway has one."""

from __future__ import annotations

import math
import time
from collections import defaultdict, deque

from tests.fake_api.recording import RateLimit


class Limiter:
    """Counts the requests of each key in a window that slides. Refused ones do not count.

    Args:
        limit: How many requests in how many seconds; None for as many as one likes.
    """

    def __init__(self, limit: RateLimit | None) -> None:
        self._limit = limit
        self._admitted: dict[str, deque[float]] = defaultdict(deque)

    def admit(self, key: str) -> int | None:
        """Take a request, or refuse it.

        Returns:
            None if it is taken, or how many whole seconds to wait.
        """
        if self._limit is None:
            return None
        now = time.monotonic()
        admitted = self._admitted[key]
        while admitted and admitted[0] <= now - self._limit.seconds:
            admitted.popleft()
        if len(admitted) < self._limit.requests:
            admitted.append(now)
            return None
        return math.ceil(admitted[0] + self._limit.seconds - now)
