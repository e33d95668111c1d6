"""Stretches of two listings in which everything is unchanged: by far the most of a second run."""

from dataclasses import dataclass

from lakebed.model.pair import is_sidecar, may_have_sidecar, sidecar_of
from lakebed.transfer.compare import same_md5
from lakebed.transfer.reading import Reading


@dataclass(frozen=True, slots=True)
class Stretch:
    """Neighbours that the two listings alone show to be unchanged, as `entries` at both ends.

    No couple lies on both sides of `floor`, the last of their keys. `halves` counts the couples
    that lack their other half.
    """

    entries: int
    halves: int
    floor: str


def unchanged_stretch(source: Reading, destination: Reading, sidecars: bool) -> Stretch:
    """The stretch at the heads of both readings, which are not moved; maybe of no entry.

    It ends with the page at hand of either, and before a couple that is not all in it.
    """
    entries = halves = 0
    floor, archive = "", ""
    if source.head() is None or destination.head() is None:
        return Stretch(0, 0, "")
    for place, (left, right) in enumerate(zip(source.rest(), destination.rest(), strict=False)):
        key = left.key[source.cut :]
        if key != right.key[destination.cut :] or not same_md5(left, right):
            break
        if archive:
            sidecar = sidecar_of(archive)
            if key < sidecar:
                break  # what sorts in between is for others to sort out
            if key == sidecar:
                entries, floor, archive = place + 1, key, ""
                continue
            entries, floor, halves = place, archive, halves + _is_half(archive)
            archive = ""
        if sidecars and may_have_sidecar(key):
            archive = key
        else:
            entries, floor = place + 1, key
            halves += _is_half(key) or (sidecars and is_sidecar(key))
    return Stretch(entries, halves, floor)


def _is_half(key: str) -> bool:
    """Whether an archive of this name is published with a sidecar."""
    return key.endswith(".zip")
