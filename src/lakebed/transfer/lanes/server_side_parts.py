"""Same endpoint, more than one copy takes: the store copies part by part; no byte passes us.

Each part is of the listed revision. A multipart copy carries bytes only, so what travels with them
is asked of the source and sent along.
"""

from concurrent.futures import ThreadPoolExecutor

from lakebed.errors import RequestRefused
from lakebed.model.checksum import Checksum
from lakebed.model.objects import Attributes, Head, Object, Part, Span, Written, parts_of_etag
from lakebed.model.operation import Lane, Proof
from lakebed.model.quantity import MIB
from lakebed.store.capabilities import Capability
from lakebed.store.contract import Properties
from lakebed.transfer.lanes.moved import Moved, attributes_of, listed_head, pinned
from lakebed.transfer.lanes.multipart import begin_anew, complete, drop, part_size, settle
from lakebed.transfer.lanes.server_side import checked_digest
from lakebed.transfer.proof import check_size, has_md5_etags, remove
from lakebed.transfer.sides import Job, Sides
from lakebed.transfer.uploads import Begun

PART = 128 * MIB
"""The usual part: a store that answers only once it has copied it does so in a few seconds."""
THREADS = 6
"""Parts of one object that are copied at once, as in the resumable lane."""


def move(sides: Sides, job: Job) -> Moved:
    sha256 = checked_digest(sides, job)
    head = listed_head(sides, job)
    attributes = attributes_of(sides, job, head)
    try:
        written = _copied(sides, job, attributes, _kept(sides, head))
    except RequestRefused:
        # MinIO computes no checksum of what it copies, and refuses an upload that asks for one.
        written = _copied(sides, job, attributes, None)
    return Moved(
        Lane.SERVER_SIDE_PARTS, _proof(sides, job, head, written, sha256), written.etag, sha256
    )


def _kept(sides: Sides, head: Head) -> Checksum | None:
    """The checksum of the source that the destination can be held to."""
    kept = head.checksum
    can = sides.destination.capabilities
    return kept if kept is not None and Capability(kept.algorithm.value) in can else None


def _copied(sides: Sides, job: Job, attributes: Attributes, checksum: Checksum | None) -> Written:
    """Nothing is left behind by a failure, but for an upload that the store keeps."""
    source, algorithm = job.source, checksum.algorithm if checksum else None
    step = _step(source, sides.destination.store.properties, sides.options.part_size)
    upload = Begun(job.key, source.etag, source.size, step, algorithm)
    upload_id = begin_anew(sides, upload, attributes)
    try:
        parts = _parts(sides, job, upload, upload_id)
        listed_head(sides, job)  # not every store minds the revision that is asked for a part
        written = complete(sides, job, upload_id, parts, checksum)
    except BaseException:
        drop(sides, job.key, upload_id)
        raise
    settle(sides, upload)
    return written


def _step(source: Object, properties: Properties, wanted: int | None) -> int:
    """Bytes of a part: those that are wanted; else as the source was uploaded, where its ETag lets
    us guess, for then the copy's ETag is the same and proves it; else the usual ones."""
    count = parts_of_etag(source.etag)
    if wanted is None and count is not None and count <= properties.max_parts:
        least = -(-source.size // (count * MIB))
        for step in (MIB << (least - 1).bit_length(), MIB * least):
            fits = properties.min_part <= step <= properties.max_copy
            if fits and -(-source.size // step) == count:
                return step
    return part_size(source.size, properties, min(wanted or PART, properties.max_copy))


def _parts(sides: Sides, job: Job, upload: Begun, upload_id: str) -> list[Part]:
    """Each part, acknowledged. Nothing goes on when this returns or raises."""
    source, destination = sides.source, sides.destination

    def copied(number: int, span: Span) -> Part:
        sides.cancellation.check()
        with pinned(job.source.key):
            return destination.store.copy_part(
                source.bucket,
                job.source.key,
                destination.bucket,
                job.key,
                upload_id,
                number,
                span=span,
                if_match=job.source.etag,
            )

    spans = upload.spans()
    with ThreadPoolExecutor(THREADS, thread_name_prefix="lakebed-part") as pool:
        # Where one fails those that have not begun never do.
        return list(pool.map(copied, range(1, len(spans) + 1), spans))


def _proof(sides: Sides, job: Job, source: Head, written: Written, sha256: str | None) -> Proof:
    """Raises ProofFailed, after removing it, for a copy that differs from its source."""
    made = check_size(sides.destination, job).checksum
    kept = source.checksum
    if kept is not None and made is not None and made.algorithm is kept.algorithm:
        if made != kept:
            why = f"it has the {kept.algorithm} {made}, its source {kept}"
            remove(sides.destination, job.key, why)
        proof = Proof.SERVER_CHECKSUM
    elif has_md5_etags(sides) and written.etag == job.source.etag:
        proof = Proof.ETAG_MD5
    else:
        return Proof.SIZE_ONLY
    return Proof.PUBLISHER_SHA256 if sha256 is not None and job.digest is not None else proof
