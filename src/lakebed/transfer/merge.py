"""Two sorted listings become one stream of entries, and entries that belong together couples."""

from collections.abc import Iterator
from dataclasses import dataclass

from lakebed.model.objects import Object
from lakebed.model.pair import archive_of, is_sidecar, may_have_sidecar, sidecar_of
from lakebed.transfer.reading import Reading
from lakebed.transfer.stretch import Stretch, unchanged_stretch

_WORTH = 50
"""Entries of which a stretch is made: shorter ones would cut into what is decided together."""


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


def merge(source: Reading, destination: Reading) -> Iterator[Entry]:
    """One entry for each relative key of two listings, in order; both are read as streams, and
    may be skipped through between two entries."""
    while True:
        left, right = source.head(), destination.head()
        if left is None and right is None:
            return
        left_key = None if left is None else left.key[source.cut :]
        right_key = None if right is None else right.key[destination.cut :]
        key = min(key for key in (left_key, right_key) if key is not None)
        if left_key == key:
            source.skip()
        if right_key == key:
            destination.skip()
        yield Entry(key, left if left_key == key else None, right if right_key == key else None)


def pairs(
    source: Reading,
    destination: Reading,
    sidecars: bool,
    *,
    after: str = "",
    skim: bool = False,
) -> Iterator[Couple | Stretch]:
    """Couples in key order; without `sidecars` each entry is an archive alone.

    `after` is the cursor at which both listings begin, and the lowest `floor` yielded. An archive
    is yielded as soon as its sidecar came or can come no more, so couples are not in key order
    where keys such as `X-1` sort between `X` and `X.CHECKSUM`. To `skim` is to yield stretches
    where many neighbours are unchanged.
    """
    waiting, soon = _Waiting(after, sidecars), 0
    entries = merge(source, destination)
    while True:
        if skim and soon <= 0 and not waiting:
            stretch = unchanged_stretch(source, destination, sidecars)
            if stretch.entries >= _WORTH:
                source.skip(stretch.entries)
                destination.skip(stretch.entries)
                waiting.skipped(stretch.floor)
                yield stretch
                continue
            soon = stretch.entries + 1  # what was just looked at in vain
        entry = next(entries, None)
        if entry is None:
            break
        soon -= 1
        yield from waiting.take(entry)
    yield from waiting.release(None)


class _Waiting:
    """Archives whose sidecar may still come, lowest first.

    What sorts between X and X.CHECKSUM starts with X, so each waiting key is a prefix of the
    next, the last one is always released first, and there are never more than a key has bytes.
    """

    def __init__(self, after: str, sidecars: bool) -> None:
        self._sidecars = sidecars
        self._archives: list[Entry] = []
        self._seen = after
        self._below = after
        """The last key seen before the lowest waiting archive came."""

    def __bool__(self) -> bool:
        return bool(self._archives)

    @property
    def _floor(self) -> str:
        return self._below if self._archives else self._seen

    def skipped(self, floor: str) -> None:
        """Everything up to `floor` was yielded by somebody else, while nothing waited."""
        self._seen = floor

    def take(self, entry: Entry) -> Iterator[Couple]:
        """The couples that are complete once `entry` came."""
        if not self._sidecars:
            yield Couple(entry, None, entry.key)
            return
        yield from self.release(entry.key)
        if is_sidecar(entry.key):
            yield self._couple(entry)
        elif may_have_sidecar(entry.key):
            self._push(entry)
        else:
            self._seen = entry.key
            yield Couple(entry, None, self._floor)

    def release(self, key: str | None) -> Iterator[Couple]:
        """The archives whose sidecar would have come before `key`; None: all."""
        while self._archives and (key is None or sidecar_of(self._archives[-1].key) < key):
            archive = self._archives.pop()
            yield Couple(archive, None, self._floor)

    def _push(self, archive: Entry) -> None:
        if not self._archives:
            self._below = self._seen
        self._archives.append(archive)
        self._seen = archive.key

    def _couple(self, sidecar: Entry) -> Couple:
        self._seen = sidecar.key
        if self._archives and self._archives[-1].key == archive_of(sidecar.key):
            archive = self._archives.pop()
            return Couple(archive, sidecar, self._floor)
        return Couple(None, sidecar, self._floor)
