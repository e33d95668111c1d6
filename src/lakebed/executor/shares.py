"""The memory of a replica, handed out to its operations as they begin."""

from lakebed.model.quantity import MIB
from lakebed.settings.executor import ExecutorSettings

LEAST = 8 * MIB
"""Bytes that are kept for each operation that may still begin: what one small object needs."""


class Shares:
    """Together they are never more than the replica has, whatever is asked for."""

    def __init__(self) -> None:
        self._held: dict[str, int] = {}

    def take(self, name: str, asked: int, settings: ExecutorSettings) -> int:
        """As much of what is asked for as the others leave, those that may still begin included."""
        free = max(0, settings.running - len(self._held) - 1)
        least = min(LEAST, settings.memory // settings.running)
        left = settings.memory - sum(self._held.values()) - free * least
        self._held[name] = max(least, min(asked, left))
        return self._held[name]

    def give_back(self, name: str) -> None:
        del self._held[name]
