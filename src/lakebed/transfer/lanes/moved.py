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


def attributes_of(sides: Sides, job: Job, head: Head) -> Attributes:
    """What is sent with the bytes: the source's attributes, and what the options say."""
    source, options = sides.source, sides.options
    tags: dict[str, str] = {}
    if options.tags:
        with pinned(job.source.key):
            tags = source.store.tags(source.bucket, job.source.key)
    return replace(head.attributes, tags=tags, storage_class=options.storage_class, sse=options.sse)


def read_whole(sides: Sides, job: Job) -> tuple[Head, list[bytes]]:
    """The listed revision's head and bytes; the caller has reserved its size."""
    source = sides.source
    pieces: list[bytes] = []

    def take(data: bytes) -> None:
        pieces.append(data)
        sides.passed(len(data))

    with pinned(job.source.key):
        head = source.store.get(source.bucket, job.source.key, take, if_match=job.source.etag)
    check_length(job, sum(map(len, pieces)))
    return head, pieces


def check_length(job: Job, came: int) -> None:
    if came != job.source.size:
        raise SourceChanged(
            f"{came} bytes came, {job.source.size} were listed", subject=job.source.key
        )
