"""The multipart upload that the lanes for large objects share: parts in order, proved, or nothing.

Part sizes follow from the object's size; the bytes of a part come from a body that is asked anew
for each attempt, so that no part is ever held in memory.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress

from lakebed.errors import (
    LakebedError,
    ObjectError,
    ObjectMissing,
    ObjectTooLarge,
    ProofFailed,
    StoreError,
)
from lakebed.model.checksum import Checksum
from lakebed.model.objects import Attributes, Part, Span, Written
from lakebed.model.operation import Proof
from lakebed.model.quantity import MIB
from lakebed.store.contract import Body, Properties
from lakebed.transfer.proof import (
    check_publisher,
    check_size,
    check_source,
    doubted,
    has_md5_etags,
    multipart_etag,
    proof_of,
)
from lakebed.transfer.sides import Job, Sides
from lakebed.transfer.uploads import Begun

PART = 16 * MIB
"""The usual part: 5 MiB parts cost five times the throughput of 16 to 64 MiB ones over a wide
area (Skyplane's part-size study), and more than 16 lose more to a repeated part."""
BodyOf = Callable[[Span], AbstractContextManager[Body]]
"""The body of a part; left when the part was sent or failed, so that nothing goes on reading."""
_TIDY = 3.0
"""Seconds for aborting an upload when all is to stop."""


def part_size(size: int, properties: Properties, usual: int | None) -> int:
    """Bytes of each part but the last: `usual`, by default PART, or as much more as the number of
    parts demands."""
    least = -(-size // properties.max_parts)
    rounded = -(-least // MIB) * MIB
    return max(usual or PART, properties.min_part, rounded)


def upload(
    sides: Sides, job: Job, attributes: Attributes, body_of: BodyOf
) -> tuple[Written, Proof, str]:
    """Upload `job` from the bodies of its parts: what was written, its proof, its SHA-256.

    Completed only where the publisher's digest, if any, is met. Nothing is left behind by a
    failure, but for an upload that the store does not let us abort.
    """
    destination, size = sides.destination, job.source.size
    store = destination.store
    step = part_size(size, store.properties, sides.options.part_size)
    if step > store.properties.max_put:
        raise ObjectTooLarge(f"{size} bytes do not fit in one object", subject=job.key)
    begun = Begun(job.key, job.source.etag, size, step)
    upload_id = begin_anew(sides, begun, attributes)
    try:
        passing = Passing(sides, job)
        parts: list[Part] = []
        for number, span in enumerate(begun.spans(), start=1):
            sides.cancellation.check()
            with body_of(span) as body:
                parts.append(passing.send(upload_id, number, body))
        check_publisher(job, passing.sha256)
        if passing.md5 is not None:
            check_source(sides, job, passing.md5)
        written = complete(sides, job, upload_id, parts)
    except BaseException:
        drop(sides, job.key, upload_id)
        raise
    settle(sides, begun)
    compared = has_md5_etags(sides)  # each part's, as it was acknowledged
    if not compared:
        check_size(destination, job)
    return written, proof_of(job, verified=False, compared=compared), passing.sha256


class _Digests:
    """Of the object up to here: its SHA-256, and its MD5 where that is asked for."""

    def __init__(self, *, with_md5: bool) -> None:
        self.sha256 = hashlib.sha256()
        self.md5 = hashlib.md5(usedforsecurity=False) if with_md5 else None

    def update(self, data: bytes) -> None:
        self.sha256.update(data)
        if self.md5 is not None:
            self.md5.update(data)

    def copy(self) -> "_Digests":
        twin = _Digests(with_md5=False)
        twin.sha256 = self.sha256.copy()
        twin.md5 = self.md5.copy() if self.md5 is not None else None
        return twin


class Passing:
    """What passes is digested: the object in order, and each part for its ETag."""

    def __init__(self, sides: Sides, job: Job) -> None:
        self._sides, self._job = sides, job
        self._proves_parts = has_md5_etags(sides)
        self._digests = _Digests(with_md5=doubted(job))

    @property
    def sha256(self) -> str:
        return self._digests.sha256.hexdigest()

    @property
    def md5(self) -> str | None:
        return self._digests.md5.hexdigest() if self._digests.md5 is not None else None

    def send(self, upload_id: str, number: int, body: Body) -> Part:
        destination, job = self._sides.destination, self._job
        digested = _Digested(body, self._digests, self._sides.passed, self._proves_parts)
        part = destination.store.upload_part(
            destination.bucket, job.key, upload_id, number, digested
        )
        if self._proves_parts and part.etag != digested.md5:
            raise ProofFailed(
                f"part {number} has the ETag {part.etag}, the bytes sent have {digested.md5}",
                subject=job.key,
            )
        self._digests = digested.digests
        return part


class _Digested:
    """A body whose chunks are digested on their way; each attempt begins where it began."""

    def __init__(
        self, body: Body, before: _Digests, passed: Callable[[int], None], with_md5: bool
    ) -> None:
        self._body, self._before, self._passed, self._with_md5 = body, before, passed, with_md5
        self.digests = before
        self.md5 = ""

    @property
    def size(self) -> int:
        return self._body.size

    def chunks(self) -> Iterator[bytes]:
        self.digests = self._before.copy()
        md5 = hashlib.md5(usedforsecurity=False) if self._with_md5 else None
        left = self.size
        for chunk in self._body.chunks():
            self.digests.update(chunk)
            if md5 is not None:
                md5.update(chunk)
            left -= len(chunk)
            if left == 0 and md5 is not None:
                # Now, not after the loop: who asked for these bytes need not ask for the end.
                self.md5 = md5.hexdigest()
            self._passed(len(chunk))
            yield chunk


def complete(
    sides: Sides,
    job: Job,
    upload_id: str,
    parts: Sequence[Part],
    checksum: Checksum | None = None,
) -> Written:
    """Complete the upload, also where an earlier attempt's acknowledgement was lost.

    Raises ObjectMissing where the upload is gone and the object is not what it would make.
    """
    store, bucket = sides.destination.store, sides.destination.bucket
    try:
        return store.complete_upload(bucket, job.key, upload_id, parts, checksum=checksum)
    except ObjectMissing:
        head = store.head(bucket, job.key)
        by_etag = has_md5_etags(sides) and head.etag == multipart_etag(p.etag for p in parts)
        if not (by_etag or (checksum is not None and head.checksum == checksum)):
            raise
        return Written(head.etag)


def begin_anew(sides: Sides, upload: Begun, attributes: Attributes) -> str:
    """Begin it in place of one that a killed run left."""
    left = sides.uploads.find(upload.key)
    if left is not None and left.upload_id is not None:
        abort(sides, upload.key, left.upload_id)
    return begin(sides, upload, attributes)


def begin(sides: Sides, upload: Begun, attributes: Attributes) -> str:
    """Begin it, remembered before and after, so that a kill leaves nothing that nobody knows."""
    destination = sides.destination
    sides.uploads.intend(upload)
    try:
        upload_id = destination.store.create_upload(
            destination.bucket, upload.key, attributes, algorithm=upload.algorithm
        )
    except (StoreError, ObjectError) as refused:
        if not refused.retryable:
            _forget_gone(sides, upload.key)
        raise
    sides.uploads.begin(upload.key, upload_id)
    return upload_id


def _forget_gone(sides: Sides, key: str) -> None:
    """Forget a key of which the store has no upload; it may have one that an earlier run was never
    told of. Where it does not say, the key is kept."""
    destination = sides.destination
    with sides.cancellation.grace(_TIDY), suppress(LakebedError):
        if not destination.store.list_uploads(destination.bucket, key):
            sides.uploads.forget(key)


def settle(sides: Sides, upload: Begun) -> None:
    """Forget the upload, but that one was meant to be begun where the store has others of its
    key: the answer to our first request may have been lost. `lakebed uploads` shows those."""
    destination = sides.destination
    try:
        others = destination.store.list_uploads(destination.bucket, upload.key)
    except StoreError:
        others = []  # the object is there, whatever we may list
    if others:
        sides.uploads.intend(upload)
    else:
        sides.uploads.forget(upload.key)


def drop(sides: Sides, key: str, upload_id: str) -> None:
    """Abort an upload that failed for good; what could not be aborted stays in the ledger."""
    if abort(sides, key, upload_id):
        _forget_gone(sides, key)


def abort(sides: Sides, key: str, upload_id: str) -> bool:
    """Drop an upload, also where all is to stop; whether the store did.

    Its refusal is not raised: the error that brought us here says more.
    """
    destination = sides.destination
    with sides.cancellation.grace(_TIDY):
        try:
            destination.store.abort_upload(destination.bucket, key, upload_id)
        except LakebedError:
            return False
    return True
