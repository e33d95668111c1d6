"""How many streams each caller has open at this replica: each costs, and a few are enough."""

from collections import Counter
from functools import partial

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from lakebed.errors import TooManyRequests

SOON = 5.0
"""Seconds after which a caller may find that one of its streams has ended."""


class Seats:
    """Taken and left from the loop alone."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()

    def take(self, caller: str, most: int) -> None:
        """Raises TooManyRequests."""
        if self._taken[caller] >= most:
            raise TooManyRequests(
                f"{most} event streams are open already",
                retry_after=SOON,
                advice="close one, or ask for the status instead",
            )
        self._taken[caller] += 1

    def leave(self, caller: str) -> None:
        self._taken[caller] -= 1
        if not self._taken[caller]:
            del self._taken[caller]


class Seated(Response):
    """A stream with a seat, which it leaves however it ends. Raises TooManyRequests."""

    def __init__(self, stream: Response, seats: Seats, caller: str, most: int) -> None:
        super().__init__()
        seats.take(caller, most)
        self._stream, self._leave = stream, partial(seats.leave, caller)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._stream(scope, receive, send)
        finally:
            self._leave()
