"""What was measured, as values and as the JSON that keeps them."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from pydantic import TypeAdapter


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one rival. Times in seconds, sizes in bytes."""

    wall: float
    user: float
    system: float
    peak: int
    """Of the largest process."""
    disk: int
    """Written to block devices by the client."""
    source_cpu: float
    target_cpu: float
    source_requests: dict[str, int]
    target_requests: dict[str, int]
    problem: str = ""
    """Why the run does not count; empty where it does."""
    note: str = ""
    """What the rival or the proxy before the source says of it."""
    figures: dict[str, float] = field(default_factory=dict)
    """What a program of ours measured itself, by how it reads."""

    @property
    def cpu(self) -> float:
        return self.user + self.system

    @property
    def stores_cpu(self) -> float:
        return self.source_cpu + self.target_cpu

    @property
    def requests(self) -> int:
        return sum(self.source_requests.values()) + sum(self.target_requests.values())


@dataclass(frozen=True, slots=True)
class Series:
    """The runs of one rival in one case, in the order in which they were made."""

    rival: str
    proof: str
    runs: tuple[Run, ...]

    @property
    def good(self) -> tuple[Run, ...]:
        return tuple(run for run in self.runs if not run.problem)


@dataclass(frozen=True, slots=True)
class Environment:
    """What a case was measured on and with."""

    machine: dict[str, str]
    versions: dict[str, str]
    """What each rival says of itself."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One case: what was moved, and each rival's runs."""

    case: str
    objects: int
    bytes: int
    scale: float
    series: tuple[Series, ...]
    seconds: float
    """How long the case took, loading and checks included."""
    absent: tuple[str, ...] = ()
    """Rivals of the case that this machine does not have."""
    note: str = ""
    environment: Environment | None = None

    def of(self, rival: str) -> Series | None:
        return next((one for one in self.series if one.rival == rival), None)


@dataclass(frozen=True, slots=True)
class Results:
    """Cases, each measured by itself: nothing is compared across two of them."""

    cases: tuple[Measured, ...]

    def of(self, case: str) -> Measured | None:
        return next((one for one in self.cases if one.case == case), None)

    def renewed(self, newer: Self) -> Self:
        """`newer`, and those older cases that it lacks."""
        older = [case for case in self.cases if newer.of(case.case) is None]
        return replace(newer, cases=(*older, *newer.cases))


_RESULTS = TypeAdapter(Results)


def read(path: Path) -> Results:
    """Raises pydantic's ValidationError for what another version wrote."""
    return _RESULTS.validate_json(path.read_bytes())


def write(path: Path, results: Results) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_RESULTS.dump_json(results, indent=1) + b"\n")
