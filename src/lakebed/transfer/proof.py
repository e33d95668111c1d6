"""What proves an object: digests taken while its bytes pass, and what the destination answered."""

import hashlib
from collections.abc import Iterable

from lakebed.errors import DigestRefused, ProofFailed
from lakebed.model.objects import Written, md5_of_etag
from lakebed.model.operation import Proof
from lakebed.store.capabilities import Capability
from lakebed.transfer.sides import Job, Side


def sha256_of(pieces: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def md5_of(pieces: Iterable[bytes]) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def check_publisher(job: Job, found: str) -> None:
    """Raise DigestRefused where the bytes read are not those that the publisher names."""
    if job.digest is not None and job.digest != found:
        raise DigestRefused(
            f"its publisher names sha256 {job.digest}, the bytes have {found}",
            subject=job.source.key,
        )


def prove_single(
    job: Job, destination: Side, written: Written, pieces: Iterable[bytes], sha256: str
) -> Proof:
    """The proof of an object written by one PUT whose `pieces` hash to `sha256`.

    Where the bucket verifies SHA-256 it has done so; else its ETag is compared with the MD5 of
    the bytes sent. Raises ProofFailed, after removing what is wrong.
    """
    can = destination.capabilities
    compares = Capability.MD5_ETAGS in can and Capability.SHA256 not in can
    md5 = md5_of(pieces) if compares else None
    if md5 is not None and md5 != written.etag:
        remove(destination, job.key, f"its ETag is {written.etag}, the bytes sent have {md5}")
    if job.digest is not None:
        return Proof.PUBLISHER_SHA256
    if Capability.SHA256 in can:
        return Proof.SERVER_CHECKSUM
    return Proof.ETAG_MD5 if md5 is not None else Proof.SIZE_ONLY


def prove_copy(job: Job, destination: Side, written: Written, digest_checked: bool) -> Proof:
    """The proof of an object that the store copied by itself, never through us."""
    source, copied = md5_of_etag(job.source.etag), md5_of_etag(written.etag)
    if source is not None and copied is not None:
        if source != copied:
            remove(destination, job.key, f"its ETag is {copied}, its source's {source}")
        return Proof.PUBLISHER_SHA256 if digest_checked else Proof.ETAG_MD5
    size = destination.store.head(destination.bucket, job.key).size
    if size != job.source.size:
        remove(destination, job.key, f"it has {size} bytes, its source {job.source.size}")
    return Proof.SIZE_ONLY


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
