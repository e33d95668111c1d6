"""The small objects from one bucket to another of the same store."""

from bench.cases.case import Bar, Case, Figure
from bench.data import small

CASE = Case(
    name="same_endpoint",
    title="10,000 small objects inside one endpoint",
    rivals=("lakebed", "s5cmd", "rclone", "rclone tuned", "mc", "aws"),
    dataset=small,
    same_endpoint=True,
    bars=(Bar(Figure.WALL, 1.15, "s5cmd"),),
    note="Here s5cmd and aws have the store copy by itself, as the others do.",
)
