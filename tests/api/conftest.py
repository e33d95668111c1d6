"""Pauses that take no time, and are remembered."""

import pytest

from lakebed.api import pauses


@pytest.fixture
def paused(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of each pause."""
    taken: list[float] = []

    async def sleep(seconds: float) -> None:
        taken.append(seconds)

    monkeypatch.setattr(pauses, "sleep", sleep)
    return taken
