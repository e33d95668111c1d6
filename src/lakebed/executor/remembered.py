"""Answers that are kept for a while; who asks for the same meanwhile waits for the same answer."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Remembered(Generic[K, T]):
    """Each for `seconds` after it came, at most `most` of them. An error is not kept."""

    def __init__(self, seconds: float, most: int = 256) -> None:
        self._seconds, self._most = seconds, most
        self._known: dict[K, tuple[float, asyncio.Future[T]]] = {}

    async def get(self, key: K, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer, or the error, of `ask`. Who stops waiting does not stop the others."""
        until, answer = self._known.get(key, (-math.inf, None))
        if answer is None or until < time.monotonic():
            answer = self._ask(key, ask)
        return await asyncio.shield(answer)

    def _ask(self, key: K, ask: Callable[[], Awaitable[T]]) -> asyncio.Future[T]:
        self._known.pop(key, None)
        while len(self._known) >= self._most:
            del self._known[next(iter(self._known))]
        asking = asyncio.ensure_future(ask())
        self._known[key] = (math.inf, asking)
        asking.add_done_callback(lambda ended: self._ended(key, ended))
        return asking

    def _ended(self, key: K, ended: "asyncio.Future[T]") -> None:
        failed = ended.cancelled() or ended.exception() is not None
        if self._known.get(key, (0.0, None))[1] is not ended:
            return
        if failed:
            del self._known[key]
        else:
            self._known[key] = (time.monotonic() + self._seconds, ended)
