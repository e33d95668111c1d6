"""One archive of 4 GiB, with its CHECKSUM."""

from functools import partial

from bench.cases.case import BEST_RIVAL, DOWN_AND_UP, FLOORS, MOVERS, Bar, Case, Figure
from bench.data import MIB, large

CASE = Case(
    name="huge",
    title="One archive of 4 GiB",
    rivals=("lakebed", FLOORS[0], *MOVERS, *DOWN_AND_UP),
    dataset=partial(large, archives=1, size=4096 * MIB),
    bars=(Bar(Figure.WALL, 1.1, BEST_RIVAL),),
)
