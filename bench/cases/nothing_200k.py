"""Nothing to do, twenty times as many."""

from bench.cases.case import FLOORS, Bar, Case, Figure, Start
from bench.data import tiny

CASE = Case(
    name="nothing_200k",
    title="Nothing to do, 200,000 objects",
    rivals=("lakebed", FLOORS[1], "rclone tuned", "mc", "juicefs"),
    dataset=tiny,
    start=Start.LOADED,
    bars=(
        Bar(Figure.WALL, 1.2, "juicefs"),
        Bar(Figure.WALL, 1.2, FLOORS[1]),
        Bar(Figure.MEMORY, 200),
    ),
    note="Both sides were loaded by the benchmark, so no rival has seen them before. The bare "
    "listings are both at once on the same client, which compares nothing.",
)
