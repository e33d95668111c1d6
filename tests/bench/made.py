"""Results as a session would have measured them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bench.results import Environment, Measured, Results, Run, Series

RUN = Run(
    wall=10.0,
    user=2.0,
    system=1.0,
    peak=50_000_000,
    disk=2_000_000,
    source_cpu=3.0,
    target_cpu=4.0,
    source_requests={"GetObject": 100},
    target_requests={"PutObject": 100, "ListObjectsV2": 1},
)


def measured(walls: Mapping[str, Sequence[float]], case: str = "small_pairs") -> Measured:
    """100 objects; a run for each wall. One of 0 seconds is a run that failed."""
    return Measured(
        case=case,
        objects=100,
        bytes=1_000_000,
        scale=1.0,
        series=tuple(
            Series(rival, "MD5", tuple(map(run, given))) for rival, given in walls.items()
        ),
        seconds=60.0,
    )


def run(wall: float) -> Run:
    problem = "" if wall else "1 of 100 missing"
    return replace(RUN, wall=wall, user=wall / 10, problem=problem)


ENVIRONMENT = Environment({"cores": "2"}, {"lakebed": "lakebed 0.1.0"})


def results(*cases: Measured) -> Results:
    return Results(tuple(replace(case, environment=ENVIRONMENT) for case in cases))
