"""What a lane answers, and the steps that every lane shares."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

from lakebed.errors import ObjectMissing, PreconditionFailed, SourceChanged
from lakebed.model.objects import Attributes, Head
from lakebed.model.operation import Lane, Proof
from lakebed.transfer.sides import Job, Sides


@dataclass(frozen=True, slots=True)
class Moved:
    """An object that is at the destination, proved. `sha256` where its bytes were hashed."""

    lane: Lane
    proof: Proof
    destination_etag: str
    sha256: str | None = None
    reread_bytes: int = 0
    """See `Outcome.reread_bytes`."""


class Mover(Protocol):
    """The shape of every lane."""

    def __call__(self, sides: Sides, job: Job) -> Moved: ...


@contextmanager
def pinned(key: str) -> Iterator[None]:
    """Reads inside are of the listed revision only: another one, or none, is SourceChanged.

    Only requests to the source belong inside: what the destination misses is another matter.
    """
    try:
        yield
    except (PreconditionFailed, ObjectMissing) as gone:
        raise SourceChanged(
            f"the source changed since it was listed: {gone.what}",
            subject=key,
            advice="run again, or see --on-change",
        ) from None


def listed_head(sides: Sides, job: Job) -> Head:
    """What the source says of the listed revision. Raises SourceChanged where it has another."""
    source = sides.source
    with pinned(job.source.key):
        head = source.store.head(source.bucket, job.source.key)
    if head.etag != job.source.etag:
        raise SourceChanged(
            f"the source changed since it was listed: it is now {head.etag}",
            subject=job.source.key,
            advice="run again, or see --on-change",
        )
    return head


def attributes_of(sides: Sides, job: Job, head: Head) -> Attributes:
    """What is sent with the bytes: the source's attributes, and what the options say."""
    source, options = sides.source, sides.options
    tags: dict[str, str] = {}
    if options.tags:
        with pinned(job.source.key):
            tags = source.store.tags(source.bucket, job.source.key)
    if not (tags or options.storage_class or options.sse):
        return head.attributes
    return replace(head.attributes, tags=tags, storage_class=options.storage_class, sse=options.sse)


def read_whole(sides: Sides, job: Job) -> tuple[Head, list[bytes]]:
    """The listed revision's head and bytes; the caller has reserved its size."""
    source = sides.source
    pieces: list[bytes] = []
    came = 0

    def take(data: bytes) -> None:
        nonlocal came
        came += len(data)
        if came > job.source.size:
            check_length(job, came)  # what nobody has reserved room for
        pieces.append(data)
        sides.passed(len(data))

    with pinned(job.source.key):
        head = source.store.get(source.bucket, job.source.key, take, if_match=job.source.etag)
    check_length(job, came)
    return head, pieces


def check_length(job: Job, came: int) -> None:
    if came != job.source.size:
        raise SourceChanged(
            f"{came} bytes came, {job.source.size} were listed", subject=job.source.key
        )
