"""Nothing to do: each rival once more over what it has copied itself."""

from bench.cases.case import DOWN_AND_UP, FLOORS, MOVERS, Bar, Case, Estimate, Figure, Start
from bench.data import small

CASE = Case(
    name="nothing_10k",
    title="Nothing to do, 10,000 objects",
    rivals=("lakebed", FLOORS[1], *MOVERS, *DOWN_AND_UP),
    dataset=small,
    start=Start.OWN,
    bars=(Bar(Figure.WALL, 2.5, "juicefs"),),
    estimates=(Estimate("juicefs", Figure.WALL, factor=1.02, of="mc"),),
    note="Each rival's own first run, uncounted, made what it now compares.",
)
