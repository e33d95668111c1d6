"""2,000 small objects behind a source that answers 100 ms late."""

from functools import partial

from bench.cases.case import (
    BEST_RIVAL,
    DOWN_AND_UP,
    FLOORS,
    MOVERS,
    Bar,
    Case,
    Figure,
    Shaping,
)
from bench.data import small

FEW = partial(small, archives=1_000)
WORKERS = 64

CASE = Case(
    name="slow_source",
    title="2,000 small objects, each answer of the source 100 ms late",
    rivals=("lakebed", FLOORS[0], *MOVERS, *DOWN_AND_UP),
    dataset=FEW,
    shaping=Shaping(delay=0.1),
    workers=WORKERS,
    bars=(Bar(Figure.WALL, 1.0, BEST_RIVAL), Bar(Figure.WALL, 0.08, "rclone")),
    note=f"Tuned by hand, to {WORKERS} workers: aws and the bare loop. Tuned rclone has 64 by its "
    "flags, s5cmd 256 by default; mc takes no number. Lakebed and rclone run with their defaults.",
)
