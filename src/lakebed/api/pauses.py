"""Pauses between tries: longer each time, up to a limit, by chance, within one deadline."""

import random
import time
from asyncio import sleep

FIRST, LONGEST = 0.25, 10.0
"""Seconds of the first pause at the most, and of any that nobody asked for."""


class Pauses:
    """`patience` is how many seconds may pass from now, or from the last `restart`, with all
    tries in it; at most `most` pauses."""

    def __init__(self, patience: float, most: int) -> None:
        self._patience, self._most = patience, most
        self.restart()

    def restart(self) -> None:
        self._until = time.monotonic() + self._patience
        self._taken = 0

    async def take(self, asked: float | None = None) -> bool:
        """Wait, at least as long as was `asked` for; False, at once, where there is no time."""
        longest = min(LONGEST, FIRST * 2.0**self._taken)
        pause = (asked or 0.0) + random.uniform(0.0, longest)
        if self._taken >= self._most or time.monotonic() + pause > self._until:
            return False
        self._taken += 1
        await sleep(pause)
        return True
