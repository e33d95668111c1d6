"""1,000 callers watch one sync, beside some that read nothing."""

from bench.cases.case import Bar, Case, Figure
from bench.data import small

CASE = Case(
    name="executor_streams",
    title="1,000 streams of events of one operation, and 20 more that read nothing",
    rivals=("executor watched",),
    ours="executor watched",
    dataset=small,
    bars=(
        Bar(Figure.COMPLETE, 1000, at_least=True),
        Bar(Figure.STREAMING, 200),
    ),
    note="Memory is that of the API process (PSS). Each stream is read and checked by the program "
    "that measures, on the same cores.",
)
