"""What a report says of an operation: counted in the ledger, whenever it is asked for."""

from dataclasses import dataclass, field

from lakebed.model.operation import ObjectState, Request, Summary
from lakebed.model.quarantine import Quarantined


@dataclass(frozen=True, slots=True)
class Bin:
    """The objects, and their bytes, that fall between `start` (included) and `end`."""

    start: float
    end: float
    objects: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Slow:
    """An object that took long. `size` in bytes; `seconds` in its lane, or until it was proved."""

    key: str
    size: int
    seconds: float
    attempts: int
    lane: str | None


@dataclass(frozen=True, slots=True)
class Example:
    key: str
    message: str


@dataclass(frozen=True, slots=True)
class Cause:
    """Objects that were refused for one reason. `error` is an error's code."""

    error: str
    state: ObjectState
    objects: int
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """An operation as it was at `told`. Moments in epoch seconds, None for what has not happened.

    The bins count the objects that arrived, or that `verify` proved: each of the three adds up to
    all of them and their bytes. Empty bins between others are there, those at the edges are not.
    """

    summary: Summary
    request: Request
    told: float
    created: float
    started: float | None = None
    finished: float | None = None
    resumed: bool = False
    """There were several runs: what lay between them is in `throughput`, not in `seconds`."""
    throughput: tuple[Bin, ...] = ()
    """By seconds since the operation started, in bins of one width."""
    sizes: tuple[Bin, ...] = ()
    """By bytes: each bin begins at a power of two, the first at 0."""
    durations: tuple[Bin, ...] = ()
    """By seconds that an object took: each bin is twice as wide as the one before."""
    slowest: tuple[Slow, ...] = ()
    attempts: dict[int, int] = field(default_factory=dict)
    """How many objects were settled at the first attempt, the second, …"""
    causes: tuple[Cause, ...] = ()
    """Most objects first."""
    quarantines: tuple[Quarantined, ...] = ()
    """The first pairs that this operation quarantined and that nobody released since."""

    @property
    def objects(self) -> int:
        """How many arrived, or were proved."""
        return sum(one.objects for one in self.sizes)

    @property
    def bytes(self) -> int:
        return sum(one.bytes for one in self.sizes)
