"""What a round of chaos is played on: drawn from its seed alone, so that it can be played again."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from lakebed.archive.generate import pairs
from lakebed.archive.spec import Spec
from lakebed.model.location import LOCAL_STORE, Location
from lakebed.model.pair import sidecar_of
from lakebed.model.quantity import MIB
from lakebed.transfer.lanes import resumable
from tests.e2e.buckets import Bucket, pair

LARGE = (9 * MIB, 40 * MIB)
"""Bytes of the object that goes in parts: from little more than one piece, to three parts."""
HUGE = (resumable.LEAST, resumable.LEAST + 16 * MIB)
"""Bytes of one whose upload another run goes on with, where the destination is a bucket."""
Content = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Way:
    """From where to where the objects of a round are moved, by what lanes. A new lane is a line."""

    name: str
    source: str = "here"
    destination: str = "there"
    options: tuple[str, ...] = ()
    pairs: int = 16
    large: tuple[int, int] = LARGE
    packs: bool = False
    """Whether small objects go together, where the store can."""


WAYS = (
    Way("packed", pairs=60, packs=True),
    Way("whole"),
    Way("resumable", large=HUGE),
    Way("staged", options=("--mode", "traditional")),
    Way("from-folder", source=LOCAL_STORE),
    Way("to-folder", destination=LOCAL_STORE, large=HUGE),
    Way("server-side", destination="here"),
    Way("server-side-batch", destination="here", options=("--server-side", "s5cmd"), pairs=60),
)


@dataclass(frozen=True, slots=True)
class Scene:
    """`source` is moved to a destination that holds `before` already: older revisions of some."""

    seed: int
    way: Way
    source: Content
    before: Content
    moments: tuple[float, ...]
    """At which share of its time each run is killed; the run after the last goes to its end."""

    def arguments(self, source: Bucket, destination: Bucket) -> tuple[str, ...]:
        """Of the command that moves it."""
        way = self.way
        ends = Location(way.source, source.name), Location(way.destination, destination.name)
        return "sync", *map(str, ends), *way.options, "--json"


def scene(seed: int) -> Scene:
    """Those of as many seeds in a row as there are ways take each of them."""
    draw = random.Random(seed)
    way = WAYS[seed % len(WAYS)]
    old = _archive(seed, way, draw)
    new = _replaced(old, draw)
    kept = {key: data for key, data in old.items() if draw.random() < 0.3}
    moments = tuple(draw.random() for _ in range(draw.choice([1, 1, 1, 2])))
    return Scene(seed, way, new, kept if draw.random() < 0.5 else {}, moments)


def _archive(seed: int, way: Way, draw: random.Random) -> Content:
    """Pairs as a publisher has them, and lone objects of every size."""
    found: Content = {}
    for one in pairs(Spec(seed=seed, pairs=way.pairs)):
        if one.archive is not None:
            found[one.key] = b"".join(one.archive.chunks())
        found[one.checksum_key] = one.checksum
    # One block again and again: what is to cost here is to move it.
    block = draw.randbytes(MIB)
    size = draw.randrange(*way.large)
    large = (block * (size // MIB + 1))[:size]
    return found | pair("large/pair.zip", large) | {"large/one.bin": large[: 9 * MIB]}


def _replaced(old: Content, draw: random.Random) -> Content:
    """Of some pairs a new revision, of others only one half: those their digest refuses."""
    new = dict(old)
    for key in _archives(old):
        chance = draw.random()
        if chance < 0.2:
            new |= pair(key, old[key] + b"replaced")
        elif chance < 0.3:
            new[key] = old[key] + b"corrupt"
        elif chance < 0.35:
            new[sidecar_of(key)] = b"0" * 64 + old[sidecar_of(key)][64:]
    return new


def _archives(content: Content) -> Iterator[str]:
    return (key for key in content if sidecar_of(key) in content)
