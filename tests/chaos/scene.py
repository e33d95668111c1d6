"""What a round of chaos is played on: drawn from its seed alone, so that it can be played again."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from lakebed.archive.generate import pairs
from lakebed.archive.spec import Spec
from lakebed.model.operation import Mode
from lakebed.model.pair import sidecar_of
from lakebed.model.quantity import MIB
from tests.e2e.buckets import Bucket, pair

PAIRS = 16
LARGE = (9 * MIB, 40 * MIB)
"""Bytes of the object that goes in parts: from little more than one piece, to three parts."""
Content = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Way:
    """From where to where the objects of a round are moved, by what lanes. A new lane is a line."""

    name: str
    mode: Mode = Mode.AUTO
    source: str = "here"
    destination: str = "there"


WAYS = (
    Way("direct"),
    Way("staged", mode=Mode.TRADITIONAL),
    Way("server-side", destination="here"),
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
        ends = f"{way.source}:{source.name}", f"{way.destination}:{destination.name}"
        return "sync", *ends, "--mode", way.mode.value, "--json"


def scene(seed: int) -> Scene:
    draw = random.Random(seed)
    way = WAYS[draw.randrange(len(WAYS))]
    old = _archive(seed, draw)
    new = _replaced(old, draw)
    kept = {key: data for key, data in old.items() if draw.random() < 0.3}
    moments = tuple(draw.random() for _ in range(draw.choice([1, 1, 1, 2])))
    return Scene(seed, way, new, kept if draw.random() < 0.5 else {}, moments)


def _archive(seed: int, draw: random.Random) -> Content:
    """Pairs as a publisher has them, and lone objects of every size."""
    found: Content = {}
    for one in pairs(Spec(seed=seed, pairs=PAIRS)):
        if one.archive is not None:
            found[one.key] = b"".join(one.archive.chunks())
        found[one.checksum_key] = one.checksum
    # One block again and again: what is to cost here is to move it.
    block = draw.randbytes(MIB)
    size = draw.randrange(*LARGE)
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
