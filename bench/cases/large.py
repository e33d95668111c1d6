"""Eight archives of 256 MiB, each with its CHECKSUM."""

from bench.cases.case import DOWN_AND_UP, FLOORS, MOVERS, Bar, Case, Estimate, Figure
from bench.data import large

CASE = Case(
    name="large",
    title="8 archives of 256 MiB",
    rivals=("lakebed", FLOORS[0], *MOVERS, "juicefs --check-new", *DOWN_AND_UP),
    dataset=large,
    bars=(
        Bar(Figure.WALL, 1.1, "juicefs"),
        Bar(Figure.WALL, 0.8, "juicefs --check-new"),
        Bar(Figure.WALL, 0.55, "rclone"),
        Bar(Figure.MEMORY, 200),
    ),
    estimates=(Estimate("juicefs", Figure.WALL, factor=1.09, of=FLOORS[0]),),
)
