"""The shape of the lanes that move many objects at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from lakebed.model.operation import Unit
from lakebed.transfer.lanes.moved import Moved
from lakebed.transfer.sides import Job

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Limits:
    """When a batch is sent: once it has so many objects, or bytes of objects."""

    members: int
    size: int
    held: int
    """Bytes in memory at the most, reserved for as long as it exists."""


class BatchLane(Protocol[P]):
    """A lane between two ends: each object is prepared alone, and then they are moved together."""

    @property
    def limits(self) -> Limits: ...

    def takes(self, unit: Unit) -> bool:
        """Whether all objects of a unit can go this way."""
        ...

    def prepare(self, job: Job) -> P:
        """All that can be done for one object alone; raises what refuses it."""
        ...

    def move(self, batch: Sequence[P]) -> Sequence[Moved | None]:
        """Move a batch; None for each object that is not proved, which is not there then either.

        An error says nothing of any of them.
        """
        ...
