"""What a case is: data, where it stands, who runs, and the bars that Lakebed must reach."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from bench.data import Dataset

BEST_RIVAL = "the best rival"
"""Whoever else has the least median; the floors are no rivals."""
FLOORS = ("bare loop", "bare listings")
DOWN_AND_UP = ("traditional", "s5cmd", "aws")
"""Through local disk: what the mission compares itself with."""
MOVERS = ("rclone", "rclone tuned", "mc", "juicefs")
"""Straight from one endpoint to the other, as Lakebed itself."""


class Figure(StrEnum):
    """What is compared; the value is how it reads."""

    WALL = "wall"
    CPU = "client CPU"
    STORES_CPU = "stores' CPU"
    MEMORY = "peak memory, MB"
    REQUESTS = "requests an object"
    DISK = "written to disk, MB"
    RATE = "objects a second"
    STATUS = "status p95, ms"
    POST = "POST p95, ms"
    FIRST_BYTE = "first byte, s"
    IDLE = "idle, MB"
    LOADED = "loaded, MB"
    COMPLETE = "streams that got all"
    STREAMING = "memory with streams, MB"


@dataclass(frozen=True, slots=True)
class Bar:
    """At most `limit` times the figure of `of`, or `limit` itself where that is empty."""

    figure: Figure
    limit: float
    of: str = ""
    at_least: bool = False
    """For a rate: the limit is the least."""

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        return f"{self.figure} {sign} {self.limit:g}" + (f" of {self.of}" if self.of else "")


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an absent rival would probably need, as a multiple of another's figure.

    From earlier runs of both on a machine of this size.
    """

    rival: str
    figure: Figure
    factor: float
    of: str


class Start(StrEnum):
    """What the target holds when a run starts."""

    EMPTY = "empty"
    OWN = "own"
    """What the same rival copied before, uncounted."""
    LOADED = "loaded"
    """What the benchmark put there."""


@dataclass(frozen=True, slots=True)
class Shaping:
    """What stands before the source: `delay` in seconds for each answer, or `rate` a second."""

    delay: float = 0.0
    rate: float = 0.0


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    title: str
    rivals: tuple[str, ...]
    bars: tuple[Bar, ...]
    dataset: Callable[[float], Dataset] | None = None
    """The data at a scale; None where a case brings its own."""
    start: Start = Start.EMPTY
    shaping: Shaping | None = None
    same_endpoint: bool = False
    workers: int | None = None
    """Concurrency that is set by hand for the rivals that have to be told."""
    disable: tuple[str, ...] = ()
    repeats: int | None = None
    """Runs at most, where one is enough or takes long."""
    estimates: tuple[Estimate, ...] = ()
    note: str = ""
    """What a reader must know of this case."""
    ours: str = "lakebed"
    """Who must reach the bars."""
