"""A real archive's shape: most files are small, most bytes are in the large."""

from bench.cases.case import DOWN_AND_UP, FLOORS, MOVERS, Bar, Case, Figure
from bench.data import mixed

CASE = Case(
    name="mixed",
    title="A real archive's shape: 2,000 pairs of 1 KB to 200 MB",
    rivals=("lakebed", FLOORS[0], *MOVERS, *DOWN_AND_UP),
    dataset=mixed,
    bars=(Bar(Figure.WALL, 0.6, "rclone"),),
)
