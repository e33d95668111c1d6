"""Same endpoint: the store copies by itself, only the listed revision; no byte passes us.

Where the publisher names a digest it is checked before the copy: against the SHA-256 that the
ledger or the store keeps of the source, else by reading the source once.
"""

from lakebed.model.objects import Attributes
from lakebed.model.operation import Lane
from lakebed.model.quantity import MIB
from lakebed.transfer.lanes.moved import Moved, attributes_of, pinned
from lakebed.transfer.pipe import DEPTH
from lakebed.transfer.proof import check_publisher, prove_copy, read_digest
from lakebed.transfer.sides import Job, Sides

ASKED = MIB
"""Bytes from which on the store is asked for a SHA-256 of its own: less is read in the time that
the question takes."""


def move(sides: Sides, job: Job) -> Moved:
    source, destination = sides.source, sides.destination
    sha256 = checked_digest(sides, job)
    attributes = _replaced_attributes(sides, job)
    with pinned(job.source.key):
        written = destination.store.copy(
            source.bucket,
            job.source.key,
            destination.bucket,
            job.key,
            if_match=job.source.etag,
            attributes=attributes,
        )
    checked = job.digest is not None and sha256 is not None
    proof = prove_copy(sides, job, written, digest_checked=checked)
    return Moved(Lane.SERVER_SIDE, proof, written.etag, sha256)


def checked_digest(sides: Sides, job: Job) -> str | None:
    """The object's SHA-256, which is what its publisher names; None where nobody knows it, and
    nobody names one or it takes a read that is not wanted.

    Raises DigestRefused, SourceChanged.
    """
    if job.digest is None or job.sha256 == job.digest:
        return job.sha256
    source = sides.source
    with pinned(job.source.key):
        sha256 = None
        if job.source.size >= ASKED:
            head = source.store.head(source.bucket, job.source.key)
            sha256 = head.sha256 if head.etag == job.source.etag else None
        if sha256 is None and not sides.options.extra_reads:
            return None
        if sha256 is None:
            with sides.budget.reserve(DEPTH):
                sha256 = read_digest(sides, source, job.source.key, job.source.etag)
    check_publisher(job, sha256)
    return sha256


def _replaced_attributes(sides: Sides, job: Job) -> Attributes | None:
    """None where the store shall copy the source's attributes as they are."""
    options = sides.options
    if not (options.storage_class or options.sse):
        return None
    source = sides.source
    with pinned(job.source.key):
        head = source.store.head(source.bucket, job.source.key)
    return attributes_of(sides, job, head)
