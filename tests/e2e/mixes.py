"""What is moved in tests of faults, as data: which objects, between which ends, in which mode.

A new lane joins the suite as one more line of MIXES.
"""

import random
from dataclasses import dataclass

from lakebed.model.location import LOCAL_STORE
from lakebed.model.operation import Lane, Mode, ServerSide
from lakebed.model.quantity import KIB, MIB
from lakebed.store.capabilities import Capability
from lakebed.transfer.lanes import resumable
from tests.e2e.buckets import pair

SMALL, LARGE = 200 * KIB, 9 * MIB
"""Bytes of an object that goes in one piece, and of one that goes in parts."""
HUGE = resumable.LEAST + 5 * MIB
"""Bytes of one whose upload another run goes on with."""


@dataclass(frozen=True, slots=True)
class Mix:
    """`pairs` of a few hundred bytes, and lone objects of these `sizes`."""

    name: str
    lanes: frozenset[Lane]
    """Those that it must take where nothing is wrong."""
    pairs: int = 20
    sizes: tuple[int, ...] = (SMALL,)
    mode: Mode = Mode.AUTO
    source: str = "here"
    destination: str = "there"
    """The names of the ends: two of one server, or the one of this machine's folders."""
    server_side: ServerSide = ServerSide.API
    packs: bool = False
    """Whether small objects go together, which only MinIO can take."""

    @property
    def engines(self) -> tuple[str, ...]:
        """The stores on which it can be played."""
        return ("minio",) if self.packs else ("seaweedfs", "minio")

    @property
    def disabled(self) -> tuple[str, ...]:
        """What no store is to do."""
        return () if self.packs else (Capability.UNPACK,)

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
_BY_SIZE = frozenset({Lane.WHOLE, Lane.STREAM})
_COPIED, _BATCH = frozenset({Lane.SERVER_SIDE}), frozenset({Lane.SERVER_SIDE_BATCH})
MIXES = (
    SMALL_ONES,
    Mix("packed", frozenset({Lane.PACKED, Lane.WHOLE}), pairs=120, packs=True),
    Mix("stream", _BY_SIZE, pairs=5, sizes=(LARGE, 2 * LARGE)),
    Mix("resumable", frozenset({Lane.WHOLE, Lane.RESUMABLE}), pairs=5, sizes=(HUGE,)),
    Mix("staged", frozenset({Lane.STAGED}), pairs=10, sizes=(LARGE,), mode=Mode.TRADITIONAL),
    Mix("from-folder", _BY_SIZE, pairs=10, sizes=(LARGE,), source=LOCAL_STORE),
    Mix("to-folder", _BY_SIZE, pairs=10, sizes=(LARGE,), destination=LOCAL_STORE),
    Mix("server-side", _COPIED, pairs=10, sizes=(LARGE,), destination="here"),
    Mix("s5cmd", _BATCH, sizes=(LARGE,), destination="here", server_side=ServerSide.S5CMD),
)
