"""The small objects again, to a bucket that must not unpack: one GET and one PUT each."""

from bench.cases.case import FLOORS, Bar, Case, Figure
from bench.cases.small_pairs import ESTIMATES
from bench.data import small

CASE = Case(
    name="small_whole",
    title="The same, with unpacking disabled",
    rivals=("lakebed", FLOORS[0], "juicefs"),
    dataset=small,
    disable=("unpack",),
    bars=(
        Bar(Figure.WALL, 1.15, FLOORS[0]),
        Bar(Figure.WALL, 1.0, "juicefs"),
        Bar(Figure.REQUESTS, 2.0),
    ),
    estimates=ESTIMATES,
)
