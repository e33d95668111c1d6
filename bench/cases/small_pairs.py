"""10,000 small objects: archives of 1 to 100 KB and their CHECKSUMs."""

from bench.cases.case import DOWN_AND_UP, FLOORS, MOVERS, Bar, Case, Estimate, Figure
from bench.data import small

ESTIMATES = (
    Estimate("juicefs", Figure.WALL, factor=1.11, of=FLOORS[0]),
    Estimate("juicefs", Figure.CPU, factor=1.68, of=FLOORS[0]),
)

CASE = Case(
    name="small_pairs",
    title="10,000 small objects, in pairs",
    rivals=("lakebed", FLOORS[0], *MOVERS, *DOWN_AND_UP),
    dataset=small,
    bars=(
        Bar(Figure.WALL, 0.55, "rclone"),
        Bar(Figure.WALL, 0.85, "juicefs"),
        Bar(Figure.WALL, 0.25, "aws"),
        Bar(Figure.CPU, 0.7, "juicefs"),
    ),
    estimates=ESTIMATES,
)
