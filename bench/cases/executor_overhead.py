"""Through the executor: 10,000 small objects beside the engine alone."""

from bench.cases.case import Bar, Case, Figure
from bench.data import small

CASE = Case(
    name="executor_overhead",
    title="10,000 small objects through an executor that runs, and by the engine alone",
    rivals=("executor", "lakebed"),
    ours="executor",
    dataset=small,
    bars=(Bar(Figure.WALL, 1.05, "lakebed"), Bar(Figure.CPU, 1.05, "lakebed")),
    note="Of the executor: from the request to the end that its stream tells, and the CPU of all "
    "of its processes meanwhile. Its start is no part of it; that of `lakebed sync` is.",
)
