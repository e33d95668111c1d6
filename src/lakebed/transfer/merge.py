"""Two sorted listings become one stream of entries, and entries that belong together couples."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lakebed.model.objects import Object
from lakebed.model.pair import archive_of, is_sidecar, sidecar_of

Relative = Callable[[str], str]
"""From a full key to its key relative to the location, keeping the order."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What both ends hold under one relative key; at least one of them holds something."""

    key: str
    source: Object | None
    destination: Object | None


@dataclass(frozen=True, slots=True)
class Couple:
    """An archive with its sidecar, or either alone; anything without a sidecar is an archive.

    `floor` is the cursor after this couple: each entry whose key is at most `floor` has been
    yielded, in this couple or an earlier one, and no couple lies on both sides of it. So a new
    stream of the entries after `floor` yields exactly the couples that lie above it: none is
    lost, and only those that this stream already yielded above it come again. An empty `floor`
    is the beginning of the listing.
    """

    archive: Entry | None
    sidecar: Entry | None
    floor: str
    digest: Object | None = None
    """A sidecar that is only read, not acted on: that of one exact key."""

    @property
    def key(self) -> str:
        """The relative key of the archive, or of the sidecar where it is alone."""
        return next(entry.key for entry in (self.archive, self.sidecar) if entry)


def merge(
    source: Iterator[Object],
    destination: Iterator[Object],
    source_relative: Relative,
    destination_relative: Relative,
) -> Iterator[Entry]:
    """One entry for each relative key of two listings, in order; both are read as streams."""
    left, right = next(source, None), next(destination, None)
    while left is not None or right is not None:
        left_key = None if left is None else source_relative(left.key)
        right_key = None if right is None else destination_relative(right.key)
        key = min(key for key in (left_key, right_key) if key is not None)
        yield Entry(key, left if left_key == key else None, right if right_key == key else None)
        if left_key == key:
            left = next(source, None)
        if right_key == key:
            right = next(destination, None)


def pairs(entries: Iterator[Entry], sidecars: bool, *, after: str = "") -> Iterator[Couple]:
    """Couples of entries in key order; without `sidecars` each entry is an archive alone.

    `after` is the cursor at which `entries` begin, and the lowest `floor` yielded. An archive
    is yielded as soon as its sidecar came or can come no more, so couples are not in key order
    where keys such as `X-1` sort between `X` and `X.CHECKSUM`.
    """
    if not sidecars:
        for entry in entries:
            yield Couple(entry, None, entry.key)
        return
    waiting = _Waiting(after)
    for entry in entries:
        yield from waiting.release(entry.key)
        if is_sidecar(entry.key):
            yield waiting.couple(entry)
        elif is_sidecar(sidecar_of(entry.key)):
            waiting.push(entry)
        else:
            yield waiting.alone(entry)
    yield from waiting.release(None)


class _Waiting:
    """Archives whose sidecar may still come, lowest first.

    What sorts between X and X.CHECKSUM starts with X, so each waiting key is a prefix of the
    next, the last one is always released first, and there are never more than a key has bytes.
    """

    def __init__(self, after: str) -> None:
        self._archives: list[Entry] = []
        self._seen = after
        self._below = after
        """The last key seen before the lowest waiting archive came."""

    @property
    def _floor(self) -> str:
        return self._below if self._archives else self._seen

    def push(self, archive: Entry) -> None:
        if not self._archives:
            self._below = self._seen
        self._archives.append(archive)
        self._seen = archive.key

    def release(self, key: str | None) -> Iterator[Couple]:
        """The archives whose sidecar would have come before `key`; None: all."""
        while self._archives and (key is None or sidecar_of(self._archives[-1].key) < key):
            archive = self._archives.pop()
            yield Couple(archive, None, self._floor)

    def couple(self, sidecar: Entry) -> Couple:
        self._seen = sidecar.key
        if self._archives and self._archives[-1].key == archive_of(sidecar.key):
            archive = self._archives.pop()
            return Couple(archive, sidecar, self._floor)
        return Couple(None, sidecar, self._floor)

    def alone(self, entry: Entry) -> Couple:
        self._seen = entry.key
        return Couple(entry, None, self._floor)
