"""The protocol through which the transfer tells what happens; `operations` implements it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from lakebed.model.operation import Copied, Counters, Outcome, Unit
from lakebed.transfer.uploads import Uploads


@dataclass(frozen=True, slots=True)
class Quarantine:
    """A pair that its publisher's digest refused, as it was then."""

    source_etag: str
    digest_etag: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Batch:
    """A stretch of the plan. Everything up to `cursor` (a relative key) is decided with it."""

    units: Sequence[Unit]
    counters: Counters
    cursor: str


class Memory(Protocol):
    """What is remembered beyond one operation. Raises LedgerError."""

    def copies(self, keys: Sequence[str]) -> Mapping[str, Copied]:
        """What is remembered of the last proved copies of these relative keys."""
        ...

    def brought(self, keys: Sequence[str]) -> Mapping[str, Copied]:
        """What is remembered of the last proved copies, by any operation, to these relative keys
        of the source."""
        ...

    def quarantines(self, keys: Sequence[str]) -> Mapping[str, Quarantine]:
        """Which of these relative keys of the source are in quarantine."""
        ...


class Recorder(Memory, Protocol):
    """Remembers. Called from the threads of one operation; raises LeaseLost, LedgerError."""

    @property
    def uploads(self) -> Uploads: ...

    def cursor(self) -> str:
        """The relative key up to which an earlier run of this operation has planned."""
        ...

    def unfinished(self) -> Iterator[Unit]:
        """What an earlier run planned and did not finish, in key order, read as a stream."""
        ...

    def planned(self, batch: Batch) -> None:
        """Durable when this returns: only then may a unit be moved."""
        ...

    def settled(self, outcomes: Sequence[Outcome]) -> None:
        """What became of the objects of a unit. Durable a moment later, in a batch."""
        ...

    def noted(self, note: str) -> None:
        """What a reader of the report must know of how it went; the last one is kept."""
        ...

    def counted(self) -> Counters:
        """What was counted so far, by this run and earlier ones of the operation."""
        ...

    def arrived(self) -> Iterator[Outcome]:
        """What was copied and is done, durably, in key order, read as a stream."""
        ...
