"""Planning on a synthetic store, ten million keys a side."""

from bench.cases.case import Case

CASE = Case(
    name="ten_million",
    title="10 million keys a side, planned on a synthetic store",
    rivals=("planning",),
    bars=(),
    repeats=1,
    note="No store and no network: what planning alone costs. Printed by `bench/planning.py`.",
)
