"""How an operation stands, 300 times a second while it runs."""

from bench.cases.case import Bar, Case, Figure
from bench.data import small

CASE = Case(
    name="executor_status",
    title="300 requests a second for the status of an operation that moves 10,000 small objects",
    rivals=("executor asked",),
    ours="executor asked",
    dataset=small,
    bars=(Bar(Figure.STATUS, 20), Bar(Figure.POST, 50)),
    note="Latency counts from the moment at which a request was to be sent. Stores and "
    "what moves the objects have all cores but the last, which the API has with whoever asks.",
)
