"""What the API process holds, idle and with a full queue."""

from bench.cases.case import Bar, Case, Figure, Start
from bench.data import small

CASE = Case(
    name="executor_memory",
    title="Memory of the API, idle and with 1,000 operations queued of which 32 run",
    rivals=("executor filled",),
    ours="executor filled",
    dataset=small,
    start=Start.LOADED,
    bars=(Bar(Figure.IDLE, 120), Bar(Figure.LOADED, 150)),
    repeats=3,
    note="PSS: pages that processes share are counted in equal parts. The operations verify at 64 "
    "KB a second, so that 32 run at once; they are stopped in the end.",
)
