"""Medians and spreads of what was measured."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from bench.cases.case import BEST_RIVAL, FLOORS, Figure
from bench.results import Measured, Run

OURS = ("lakebed", "traditional")
_OF: dict[Figure, Callable[[Run, int], float]] = {
    Figure.WALL: lambda run, objects: run.wall,
    Figure.CPU: lambda run, objects: run.cpu,
    Figure.STORES_CPU: lambda run, objects: run.stores_cpu,
    Figure.MEMORY: lambda run, objects: run.peak / 1e6,
    Figure.REQUESTS: lambda run, objects: run.requests / max(objects, 1),
    Figure.DISK: lambda run, objects: run.disk / 1e6,
    Figure.RATE: lambda run, objects: objects / run.wall,
}


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some runs, with the least and the most."""

    middle: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        return cls(statistics.median(values), min(values), max(values))


def spread(measured: Measured, rival: str, figure: Figure) -> Spread | None:
    """Of the runs that count; None where there are none."""
    series = measured.of(rival)
    if series is None or not series.good:
        return None
    values = [_value(run, figure, measured.objects) for run in series.good]
    known = [value for value in values if value is not None]
    return Spread.of(known) if known else None


def _value(run: Run, figure: Figure, objects: int) -> float | None:
    return _OF[figure](run, objects) if figure in _OF else run.figures.get(figure)


def middle(measured: Measured, rival: str, figure: Figure) -> float | None:
    """The median, where there is one; `rival` may be `BEST_RIVAL`."""
    name = best_rival(measured, figure) if rival == BEST_RIVAL else rival
    found = spread(measured, name, figure) if name else None
    return found.middle if found else None


def best_rival(measured: Measured, figure: Figure) -> str | None:
    """Who else has the least median; neither a floor nor another mode of ours."""
    found = {
        series.rival: spread(measured, series.rival, figure)
        for series in measured.series
        if series.rival not in (*OURS, *FLOORS)
    }
    medians = {name: one.middle for name, one in found.items() if one}
    return min(medians, key=medians.__getitem__, default=None)
