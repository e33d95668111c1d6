"""Small objects: one GET, one PUT, the bytes in memory between them."""

from functools import partial

from lakebed.errors import DestinationChanged, ObjectMissing, PreconditionFailed
from lakebed.model.objects import Head, Write, md5_of_etag
from lakebed.model.operation import Lane, OnChange
from lakebed.model.quantity import MIB
from lakebed.store.capabilities import Capability
from lakebed.store.contract import Buffer
from lakebed.transfer.lanes.moved import Moved, attributes_of, read_whole
from lakebed.transfer.proof import (
    check_publisher,
    check_source,
    doubted,
    has_md5_etags,
    md5_of,
    prove_single,
    sha256_of,
)
from lakebed.transfer.sides import Job, Sides

LIMIT = 8 * MIB
"""The largest object moved whole: a multipart upload costs three requests more, which below this
size take longer than the bytes."""


def move(sides: Sides, job: Job) -> Moved:
    destination = sides.destination
    with sides.budget.reserve(job.source.size):
        head, pieces = _content(sides, job)
        sha256 = sha256_of(pieces)
        check_publisher(job, sha256)
        if doubted(job):
            check_source(sides, job, md5_of(pieces))
        put = partial(
            destination.store.put,
            destination.bucket,
            job.key,
            Buffer(pieces),
            attributes=attributes_of(sides, job, head),
            sha256=sha256 if Capability.SHA256 in destination.capabilities else None,
        )
        try:
            written = put(write=_when(sides, job))
        except PreconditionFailed:
            _check_may_replace(sides, job, pieces)
            written = put()
        proof = prove_single(sides, job, written, pieces, sha256)
    return Moved(Lane.WHOLE, proof, written.etag, sha256)


def _when(sides: Sides, job: Job) -> Write:
    """Where the destination held nothing, nothing that came since is written over unseen: a process
    that was stopped may send this late, when a later revision is there."""
    is_conditional = Capability.IF_NONE_MATCH in sides.destination.capabilities
    return Write.IF_ABSENT if job.held is None and is_conditional else Write.ALWAYS


def _check_may_replace(sides: Sides, job: Job, pieces: list[bytes]) -> None:
    """Raise DestinationChanged where what came since it was listed is not to be written over. It
    may be our own, whose answer was lost or whose run was killed: the same bytes do no harm."""
    options, destination = sides.options, sides.destination
    if options.on_change is OnChange.REPLACE and not options.ignore_existing:
        return
    try:
        there = md5_of_etag(destination.store.head(destination.bucket, job.key).etag)
    except ObjectMissing:
        return
    if has_md5_etags(sides) and there not in (None, md5_of(pieces)):
        raise DestinationChanged(
            "it was written since it was listed",
            subject=job.key,
            advice="it stays; a new run plans anew",
        )


def _content(sides: Sides, job: Job) -> tuple[Head, list[bytes]]:
    if job.content is None or job.head is None:
        return read_whole(sides, job)
    return job.head, list(job.content)
