"""Which lanes an object may take, best first, by mode, size and ends."""

from lakebed.errors import (
    AccessDenied,
    LakebedError,
    NoLane,
    NotSupported,
    ProofFailed,
    RequestRefused,
)
from lakebed.model.operation import Lane, Mode
from lakebed.store.capabilities import Capability
from lakebed.transfer.lanes import (
    resumable,
    server_side,
    server_side_parts,
    staged,
    stream,
    whole,
)
from lakebed.transfer.lanes.moved import Moved, Mover
from lakebed.transfer.sides import Job, Side, Sides

MOVERS: dict[Lane, Mover] = {
    Lane.SERVER_SIDE: server_side.move,
    Lane.SERVER_SIDE_PARTS: server_side_parts.move,
    Lane.WHOLE: whole.move,
    Lane.STREAM: stream.move,
    Lane.RESUMABLE: resumable.move,
    Lane.STAGED: staged.move,
}

_FALLS = (AccessDenied, NoLane, NotSupported, ProofFailed, RequestRefused)
"""What another lane may do better. What says that the store is away or refuses us as a whole, or
that the source's bytes are wrong, would only come again."""


def lanes_of(sides: Sides, job: Job) -> tuple[Lane, ...]:
    mode = sides.options.mode
    if mode is Mode.TRADITIONAL:
        return (Lane.STAGED,)
    lanes: list[Lane] = []
    if sides.same_endpoint:
        lanes += _inside(sides.destination, job.source.size)
    if job.source.size <= min(whole.LIMIT, sides.budget.limit):
        lanes.append(Lane.WHOLE)
    elif Capability.MULTIPART in sides.destination.capabilities:
        fits = resumable.fits(sides, job.source.size)
        lanes.append(Lane.RESUMABLE if fits else Lane.STREAM)
    if mode is Mode.HYBRID:
        lanes.append(Lane.STAGED)
    return tuple(lanes)


def _inside(destination: Side, size: int) -> list[Lane]:
    """The lane by which the store copies by itself, where it does."""
    if size > destination.store.properties.max_copy:
        return [Lane.SERVER_SIDE_PARTS] if Capability.PART_COPY in destination.capabilities else []
    return [Lane.SERVER_SIDE] if Capability.COPY in destination.capabilities else []


def move(sides: Sides, job: Job) -> Moved:
    """Move by the first lane that can. Raises the last one's error; NoLane where there is none."""
    failure: LakebedError = NoLane(
        f"no lane of mode {sides.options.mode.value} moves {job.source.size} bytes to this bucket",
        subject=job.source.key,
        advice="try --mode hybrid, which may use local disk",
    )
    for lane in lanes_of(sides, job):
        try:
            return MOVERS[lane](sides, job)
        except _FALLS as refused:
            failure = refused
    raise failure
