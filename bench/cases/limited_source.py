"""The same 2,000 objects behind a source that allows 50 requests a second."""

from bench.cases.case import Bar, Case, Figure, Shaping
from bench.cases.slow_source import FEW

CASE = Case(
    name="limited_source",
    title="2,000 small objects, a source that answers 503 beyond 50 requests a second",
    rivals=("lakebed", "rclone tuned", "s5cmd"),
    dataset=FEW,
    shaping=Shaping(rate=50),
    bars=(Bar(Figure.RATE, 45, at_least=True),),
    note="A run with a failed object counts as failed.",
)
