"""What proves an object: digests taken while its bytes pass, and what the destination answered."""

import hashlib
from collections.abc import Iterable

from lakebed.errors import DigestRefused, ProofFailed
from lakebed.model.objects import Head, Written, md5_of_etag
from lakebed.model.operation import Proof
from lakebed.store.capabilities import Capability
from lakebed.transfer.lanes.moved import pinned
from lakebed.transfer.pipe import DEPTH
from lakebed.transfer.sides import Job, Side, Sides


def sha256_of(pieces: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def md5_of(pieces: Iterable[bytes | memoryview]) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def read_digest(
    sides: Sides, side: Side, key: str, revision: str, *, algorithm: str = "sha256"
) -> str:
    """The digest (hex) of one revision, read as a stream; the caller has reserved what streams.

    Raises PreconditionFailed, ObjectMissing, and the store's errors.
    """
    digest = hashlib.new(algorithm, usedforsecurity=False)

    def take(data: bytes) -> None:
        digest.update(data)
        sides.passed(len(data))

    # Pinned, so that a body that is cut short can be resumed.
    side.store.get(side.bucket, key, take, if_match=revision)
    return digest.hexdigest()


def check_publisher(job: Job, found: str) -> None:
    """Raise DigestRefused where the bytes read are not those that the publisher names."""
    if job.digest is not None and job.digest != found:
        raise DigestRefused(
            f"its publisher names sha256 {job.digest}, the bytes have {found}",
            subject=job.source.key,
            expected=job.digest,
            found=found,
        )


def doubted(job: Job) -> bool:
    """Whether only the source's own ETag can tell that its bytes came as they are."""
    return job.digest is None and job.source.md5 is not None


def check_source(sides: Sides, job: Job, md5: str) -> None:
    """Raise ProofFailed where the bytes that came, which have `md5`, are not the source's;
    SourceChanged where they cannot be read again.

    An ETag may look like an MD5 and be none (encrypted objects), so bytes that differ from it are
    read again: the same bytes twice are what the source holds.
    """
    source = job.source
    if md5 == source.md5:
        return
    with pinned(source.key):
        again = read_digest(sides, sides.source, source.key, source.etag, algorithm="md5")
    if again != md5:
        raise ProofFailed(f"the bytes read have the MD5 {md5}, then {again}", subject=source.key)


def has_md5_etags(sides: Sides) -> bool:
    """Whether the ETags that the destination answers to our writes are MD5s of what was sent.

    Under a key of the key service (`aws:kms`, `aws:kms:dsse`) they are not, whatever the probe,
    which writes without one, has found of the bucket.
    """
    return (
        Capability.MD5_ETAGS in sides.destination.capabilities
        and not sides.options.sse.startswith("aws:")
    )


def prove_single(
    sides: Sides, job: Job, written: Written, pieces: Iterable[bytes], sha256: str
) -> Proof:
    """The proof of an object written by one PUT whose `pieces` hash to `sha256`.

    Where the bucket verifies SHA-256 it has done so; else its ETag is compared with the MD5 of
    the bytes sent, or at least the size of what it holds. Raises ProofFailed, after removing what
    is wrong.
    """
    verified = Capability.SHA256 in sides.destination.capabilities
    compared = has_md5_etags(sides) and not verified
    if compared and (md5 := md5_of(pieces)) != written.etag:
        why = f"its ETag is {written.etag}, the bytes sent have {md5}"
        remove(sides.destination, job.key, why)
    if not (verified or compared):
        check_size(sides.destination, job)
    return proof_of(job, verified=verified, compared=compared)


def proof_of(job: Job, *, verified: bool, compared: bool) -> Proof:
    """The proof of an object whose digest, where one is published, is met: its destination has
    `verified` a checksum of it, or its ETags were `compared` with the MD5 of what was sent."""
    if job.digest is not None:
        return Proof.PUBLISHER_SHA256
    if verified:
        return Proof.SERVER_CHECKSUM
    return Proof.ETAG_MD5 if compared else Proof.SIZE_ONLY


def prove_copy(sides: Sides, job: Job, written: Written, digest_checked: bool) -> Proof:
    """The proof of an object that the store copied by itself, never through us."""
    source, copied = md5_of_etag(job.source.etag), md5_of_etag(written.etag)
    if has_md5_etags(sides) and source and copied:
        if source != copied:
            why = f"its ETag is {copied}, its source's {source}"
            remove(sides.destination, job.key, why)
        return Proof.PUBLISHER_SHA256 if digest_checked else Proof.ETAG_MD5
    check_size(sides.destination, job)
    local = sides.destination.location.is_local
    if digest_checked and local and sides.options.extra_reads:
        # A file is read back at no request's cost, and is held against the publisher's word.
        with sides.budget.reserve(DEPTH):
            found = read_digest(sides, sides.destination, job.key, written.etag)
        if found != job.digest:
            remove(sides.destination, job.key, f"the copy has sha256 {found}")
        return Proof.PUBLISHER_SHA256
    return Proof.SIZE_ONLY


def check_size(destination: Side, job: Job) -> Head:
    """What the destination says of it. Raise ProofFailed, after removing it, where that is another
    number of bytes."""
    head = destination.store.head(destination.bucket, job.key)
    if head.size != job.source.size:
        remove(destination, job.key, f"it has {head.size} bytes, its source {job.source.size}")
    return head


def remove(destination: Side, key: str, why: str) -> None:
    """Take away what the destination holds against its proof; always raises ProofFailed."""
    destination.store.delete(destination.bucket, key)
    raise ProofFailed(
        f"what was stored is not what was sent: {why}; it was removed",
        subject=f"{destination.store.name}:{destination.bucket}/{key}",
    )


def multipart_etag(part_etags: Iterable[str]) -> str:
    """The ETag of a multipart object: MD5 of its parts' MD5s, and their number."""
    digests = [bytes.fromhex(etag) for etag in part_etags]
    return f"{md5_of(digests)}-{len(digests)}"
