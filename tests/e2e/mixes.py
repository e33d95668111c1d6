"""What is moved in tests of faults, as data: which objects, between which ends, in which mode.

A new lane joins the suite as one more line of MIXES.
"""

import random
from dataclasses import dataclass

from lakebed.model.operation import Lane, Mode
from lakebed.model.quantity import KIB, MIB
from tests.e2e.buckets import pair

SMALL, LARGE = 200 * KIB, 9 * MIB
"""Bytes of an object that goes in one piece, and of one that goes in parts."""


@dataclass(frozen=True, slots=True)
class Mix:
    """`pairs` of a few hundred bytes, and lone objects of these `sizes`."""

    name: str
    lanes: frozenset[Lane]
    """Those that it must take where nothing is wrong."""
    pairs: int = 20
    sizes: tuple[int, ...] = (SMALL,)
    mode: Mode = Mode.AUTO
    inside: bool = False
    """Whether both ends are one endpoint."""

    def content(self, seed: int = 0) -> dict[str, bytes]:
        draw = random.Random(seed)
        found: dict[str, bytes] = {}
        for number in range(self.pairs):
            found |= pair(f"daily/{number:05}.zip", draw.randbytes(draw.randrange(200, 600)))
        for number, size in enumerate(self.sizes):
            # One mebibyte again and again: what costs here is to move it.
            block = draw.randbytes(min(size, MIB))
            found[f"large/{number:03}.bin"] = (block * -(-size // len(block)))[:size]
        return found

    def __str__(self) -> str:
        return self.name


SMALL_ONES = Mix("whole", frozenset({Lane.WHOLE}))
MIXES = (
    SMALL_ONES,
    Mix("stream", frozenset({Lane.WHOLE, Lane.STREAM}), pairs=5, sizes=(LARGE, 2 * LARGE)),
    Mix("staged", frozenset({Lane.STAGED}), pairs=10, sizes=(LARGE,), mode=Mode.TRADITIONAL),
    Mix("server-side", frozenset({Lane.SERVER_SIDE}), pairs=10, sizes=(LARGE,), inside=True),
)
