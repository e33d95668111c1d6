"""What one end holds of a list of keys, without listing the rest of it."""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lakebed.errors import RequestRefused
from lakebed.model.objects import Object
from lakebed.store.capabilities import Capability
from lakebed.store.in_order import in_order
from lakebed.store.listing import Listed, pages
from lakebed.transfer.now import held_now, listed_alone
from lakebed.transfer.sides import Side
from lakebed.transfer.wanted import Wanted

THREADS = 8
"""Chunks of the list looked up at once, at each end."""
DENSE = 16
"""Wanted keys in a page of 1,000 from which on listing it is cheaper than asking for each."""
_FEWEST, _MOST = 16, 2048
"""Keys in a chunk: few where each is asked for, many where a page holds many of them."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    found: Listed
    listed: bool


def looked_up(side: Side, wanted: Wanted, after: str = "") -> Iterator[Listed]:
    """The objects of the wanted keys after the relative key `after` that are there, in order."""
    size = _FEWEST

    def tasks() -> Iterator[Callable[[], _Chunk]]:
        last = after
        while keys := wanted.next(last, size):
            last = keys[-1]
            yield _task(side, keys)

    for chunk in in_order(tasks(), THREADS):
        size = min(_MOST, size * 2) if chunk.listed else max(_FEWEST, size // 2)
        yield chunk.found


def _task(side: Side, keys: list[str]) -> Callable[[], _Chunk]:
    return lambda: _look_up(side, keys)


def _look_up(side: Side, keys: list[str]) -> _Chunk:
    found, looked = _listed(side, keys) if Capability.ORDERED in side.capabilities else ([], 0)
    asked = (_asked(side, key) for key in keys[looked:])
    return _Chunk((*found, *(held for held in asked if held is not None)), looked == len(keys))


def _asked(side: Side, key: str) -> Object | None:
    try:
        return held_now(side, key)
    except RequestRefused:
        # Not the key, or not without the customer's own encryption key: a listing tells which.
        return listed_alone(side, side.location.key(key))


def _listed(side: Side, keys: list[str]) -> tuple[list[Object], int]:
    """What is found by listing, as long as the keys are dense, and how many were looked for."""
    full = [side.location.key(key) for key in keys]
    found: list[Object] = []
    looked = 0
    # A little before the first key: nothing but longer names of what it begins with lie between.
    for page in pages(side.store, side.bucket, side.location.path, after=full[0][:-1]):
        passed = bisect_right(full, page[-1].key) if page else looked
        named = set(full[looked:passed])
        found += (held for held in page if held.key in named)
        dense, looked = passed - looked >= DENSE, passed
        if looked == len(full) or not dense:
            return found, looked
    return found, len(full)
