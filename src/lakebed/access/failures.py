"""How often an address showed what opens nothing: after some times it is told to wait.

Nobody can guess a secret of ours; what is held down is the work and the noise of trying. Whoever
shows what is right is let in from any address.
"""

import time
from collections import OrderedDict
from collections.abc import Callable

from lakebed.errors import TooManyRequests

MOST = 20
"""Failures at once."""
SECONDS = 3.0
"""After which one of them is forgiven."""
MOST_ADDRESSES = 4096


class Failures:
    """Of one replica, used by one thread. An address is known by when its failures are forgiven."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._now = clock
        self._forgiven: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._forgiven)

    def check(self, address: str) -> None:
        """Raises TooManyRequests where one more would be too many."""
        over = self._forgiven.get(address, 0.0) - self._now() - (MOST - 1) * SECONDS
        if over > 0:
            raise TooManyRequests(
                "too many failures to sign in",
                retry_after=over,
                advice="see that the right key or token is used",
            )

    def count(self, address: str) -> None:
        """One more. Raises TooManyRequests where it is too many."""
        self.check(address)
        self._forgiven[address] = max(self._now(), self._forgiven.get(address, 0.0)) + SECONDS
        self._forgiven.move_to_end(address)
        while len(self._forgiven) > MOST_ADDRESSES:
            self._forgiven.popitem(last=False)
