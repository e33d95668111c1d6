"""Very large objects: parts read in parallel, and an upload that another run can go on with."""

from collections.abc import Sequence

from lakebed import errors
from lakebed.errors import ObjectMissing, StoreError
from lakebed.model.checksum import Algorithm, Checksum
from lakebed.model.objects import Attributes, Part
from lakebed.model.operation import Lane, Proof
from lakebed.model.quantity import MIB
from lakebed.store.capabilities import Capability
from lakebed.transfer.lanes.flight import Flight
from lakebed.transfer.lanes.moved import Moved, attributes_of, listed_head
from lakebed.transfer.lanes.multipart import abort, begin, complete, drop, part_size, settle
from lakebed.transfer.proof import (
    check_publisher,
    check_size,
    check_source,
    has_md5_etags,
    proof_of,
)
from lakebed.transfer.sides import Job, Sides
from lakebed.transfer.uploads import Begun

LEAST = 64 * MIB
"""The smallest object moved so: below it there is little to lose, and the ledger is written once
for each part."""
PART = 8 * MIB
"""The usual part: eight of them fill the default budget."""

_FOR_GOOD = (
    errors.ObjectError,
    errors.Cancelled,
    errors.AccessDenied,
    errors.RequestRefused,
    errors.NotSupported,
    errors.ChecksumRefused,
    errors.ObjectMissing,
    errors.PreconditionFailed,
)
"""Errors after which nobody goes on with an upload. Any other may be gone by a resume."""


def fits(sides: Sides, size: int) -> bool:
    """Whether it is worth it, and two parts find room in the budget."""
    return size >= LEAST and 2 * _part_size(sides, size) <= sides.budget.limit


def move(sides: Sides, job: Job) -> Moved:
    attributes = attributes_of(sides, job, listed_head(sides, job))
    try:
        return _moved(sides, job, attributes)
    except ObjectMissing:
        # The upload vanished: somebody dropped it, or its store did. Once is bad luck.
        return _moved(sides, job, attributes)


def _moved(sides: Sides, job: Job, attributes: Attributes) -> Moved:
    upload, upload_id = _opened(sides, job, attributes)
    try:
        flight = Flight(sides, job, upload, upload_id)
        parts = flight.parts()
        if flight.digested:
            check_publisher(job, flight.digests.sha256)
            if flight.digests.md5 is not None:
                check_source(sides, job, flight.digests.md5)
        written = complete(sides, job, upload_id, parts, _whole(parts))
    except _FOR_GOOD:
        drop(sides, job.key, upload_id)
        raise
    settle(sides, upload)
    return Moved(
        Lane.RESUMABLE,
        _proof(sides, job, upload),
        written.etag,
        flight.digests.sha256 if flight.digested else None,
        flight.reread_bytes,
    )


def _opened(sides: Sides, job: Job, attributes: Attributes) -> tuple[Begun, str]:
    """The upload that an earlier run left, with what the store still has of it; else a new one."""
    store, bucket = sides.destination.store, sides.destination.bucket
    step, algorithm = _part_size(sides, job.source.size), _algorithm(sides)
    upload = Begun(job.key, job.source.etag, job.source.size, step, algorithm)
    left = sides.uploads.find(job.key)
    if left is not None and left.upload_id is not None:
        if left.intent() == upload and (algorithm is not None or has_md5_etags(sides)):
            try:
                return left.kept(store.list_parts(bucket, job.key, left.upload_id)), left.upload_id
            except StoreError as gone:
                if gone.retryable:
                    raise
        abort(sides, job.key, left.upload_id)
    return upload, begin(sides, upload, attributes)


def _part_size(sides: Sides, size: int) -> int:
    usual = sides.options.part_size or PART
    return part_size(size, sides.destination.store.properties, usual)


def _algorithm(sides: Sides) -> Algorithm | None:
    can = sides.destination.capabilities
    return next((one for one in Algorithm if Capability(one.value) in can), None)


def _whole(parts: Sequence[Part]) -> Checksum | None:
    """The checksum of the object, where each part has one."""
    whole: Checksum | None = None
    for part in parts:
        if part.checksum is None:
            return None
        whole = whole.then(part.checksum, part.size) if whole else part.checksum
    return whole


def _proof(sides: Sides, job: Job, upload: Begun) -> Proof:
    verified, compared = upload.algorithm is not None, has_md5_etags(sides)
    if not (verified or compared):
        check_size(sides.destination, job)
    return proof_of(job, verified=verified, compared=compared)
