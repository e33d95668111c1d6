"""Small objects: one GET, one PUT, the bytes in memory between them."""

from lakebed.model.objects import Head
from lakebed.model.operation import Lane
from lakebed.model.quantity import MIB
from lakebed.store.capabilities import Capability
from lakebed.store.contract import Buffer
from lakebed.transfer.lanes.moved import Moved, attributes_of, read_whole
from lakebed.transfer.proof import (
    check_publisher,
    check_source,
    doubted,
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
        written = destination.store.put(
            destination.bucket,
            job.key,
            Buffer(pieces),
            attributes=attributes_of(sides, job, head),
            sha256=sha256 if Capability.SHA256 in destination.capabilities else None,
        )
        proof = prove_single(sides, job, written, pieces, sha256)
    return Moved(Lane.WHOLE, proof, written.etag, sha256)


def _content(sides: Sides, job: Job) -> tuple[Head, list[bytes]]:
    if job.content is None or job.head is None:
        return read_whole(sides, job)
    return job.head, list(job.content)
