"""Multipart uploads under way, remembered so that another run can go on with them."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from lakebed.model.checksum import Algorithm
from lakebed.model.objects import Part, Span


@dataclass(frozen=True, slots=True)
class Begun:
    """An upload as it was begun: from which revision, in which parts. Sizes in bytes."""

    key: str
    """The full key at the destination."""
    source_etag: str
    size: int
    part_size: int
    algorithm: Algorithm | None = None
    upload_id: str | None = None
    """None: it was about to be begun, and nobody knows whether it was."""
    parts: tuple[Part, ...] = ()
    """Those that were acknowledged, by number."""

    def intent(self) -> "Begun":
        """The same upload before anything was asked of the store."""
        return replace(self, upload_id=None, parts=())

    def spans(self) -> list[Span]:
        """The bytes of each part; that of number 1 comes first."""
        starts = range(0, self.size, self.part_size)
        return [Span(start, min(start + self.part_size, self.size)) for start in starts]

    def kept(self, there: Iterable[Part]) -> "Begun":
        """The same upload with those parts only that the store has as they were acknowledged."""
        held = {(part.number, part.etag, part.size) for part in there}
        sizes = {number: span.size for number, span in enumerate(self.spans(), start=1)}
        kept = {
            part.number: part
            for part in self.parts
            if (part.number, part.etag, part.size) in held
            and sizes.get(part.number) == part.size
            and (part.checksum.algorithm if part.checksum else None) is self.algorithm
        }
        return replace(self, parts=tuple(kept[number] for number in sorted(kept)))


class Uploads(Protocol):
    """What is remembered of the uploads of one operation, one for a key.

    Each change is durable when its call returns. Raises LeaseLost, LedgerError.
    """

    def find(self, key: str) -> Begun | None: ...

    def intend(self, upload: Begun) -> None:
        """Before it is begun. Takes the place of what was remembered of its key."""
        ...

    def begin(self, key: str, upload_id: str) -> None: ...

    def add(self, key: str, part: Part) -> None:
        """A part was acknowledged; one of the same number before it counts no more."""
        ...

    def forget(self, key: str) -> None: ...


class UploadsInMemory:
    """Remembers as long as it is there itself."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.held: dict[str, Begun] = {}

    def find(self, key: str) -> Begun | None:
        with self._lock:
            return self.held.get(key)

    def intend(self, upload: Begun) -> None:
        with self._lock:
            self.held[upload.key] = upload.intent()

    def begin(self, key: str, upload_id: str) -> None:
        with self._lock:
            self.held[key] = replace(self.held[key], upload_id=upload_id)

    def add(self, key: str, part: Part) -> None:
        with self._lock:
            parts = {known.number: known for known in self.held[key].parts} | {part.number: part}
            ordered = tuple(parts[number] for number in sorted(parts))
            self.held[key] = replace(self.held[key], parts=ordered)

    def forget(self, key: str) -> None:
        with self._lock:
            self.held.pop(key, None)
