"""How long until the first object of an operation is read."""

from functools import partial

from bench.cases.case import Bar, Case, Figure
from bench.data import small

CASE = Case(
    name="executor_first_byte",
    title="From the request for an operation to the first GET of an object at the source",
    rivals=("executor begun",),
    ours="executor begun",
    dataset=partial(small, archives=500),
    bars=(Bar(Figure.FIRST_BYTE, 0.3), Bar(Figure.POST, 50)),
    note="A proxy before the source sees the GET. The first operation of a replica finds it still "
    "importing, and probes the target; it is shown by itself.",
)
