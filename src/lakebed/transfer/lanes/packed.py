"""Many small objects in one PUT that the store unpacks; each is proved by listing before it counts.

The bytes are digested, and held against the publisher's word, before anything is sent. The store's
answer to the PUT says nothing of single objects, its listing does: an ETag that is the MD5 of what
was sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lakebed.errors import NoLane
from lakebed.model.objects import Head
from lakebed.model.operation import Lane, Mode, Proof, Unit
from lakebed.model.quantity import KIB, MIB
from lakebed.store.capabilities import Capability
from lakebed.store.contract import Member
from lakebed.transfer.keys import is_odd
from lakebed.transfer.lanes.batch import Limits
from lakebed.transfer.lanes.listed import listed, remove_other
from lakebed.transfer.lanes.moved import Moved, attributes_of, read_whole
from lakebed.transfer.proof import (
    check_publisher,
    check_source,
    doubted,
    has_md5_etags,
    md5_of,
    sha256_of,
)
from lakebed.transfer.sides import Job, Sides

LIMIT = 128 * KIB
"""The largest object that is packed: MinIO stores the members of a tar up to this size 16 at a
time, and larger ones one after the other (cmd/untar.go)."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An object's bytes, which are what its publisher, or its source, says."""

    job: Job
    head: Head
    pieces: Sequence[bytes]
    sha256: str


class Packed:
    """The lane between two ends."""

    limits = Limits(members=100, size=2 * MIB, held=2 * (2 * MIB + 2 * LIMIT))
    """From 25 to 200 objects a pack the runs differed by less than their noise; fewer cost the
    store more requests, more take longer to begin anew (docs/adr/0015). What is held are the
    objects, the last pair of which goes beyond, and the tar that is sent."""

    def __init__(self, sides: Sides) -> None:
        self._sides = sides

    @property
    def is_open(self) -> bool:
        """Whether objects can go this way at all."""
        sides, options = self._sides, self._sides.options
        can = sides.destination.capabilities
        return (
            Capability.UNPACK in can
            and has_md5_etags(sides)
            and options.mode is not Mode.TRADITIONAL
            and sides.source.location.is_folder
            and not (options.tags or options.sse or options.storage_class)
            # Batches that wait for their last object leave room for everybody else.
            and sides.budget.limit >= 4 * self.limits.held
        )

    def takes(self, unit: Unit) -> bool:
        if not self._is_to_be_read(unit):
            return False
        key = self._sides.destination.location.key
        return all(
            item.source is not None and item.source.size <= LIMIT and _is_clean(key(item.key))
            for item in unit.items
        )

    def _is_to_be_read(self, unit: Unit) -> bool:
        """Whether its bytes pass us in any case: where the store could copy them by itself only
        those whose digest is published, and not known to be met."""
        if not self._sides.copies:
            return True
        return unit.digest is not None and unit.items[0].sha256 is None

    def prepare(self, job: Job) -> Fetched:
        """One GET, or the content at hand.

        Raises DigestRefused, ProofFailed, SourceChanged, and NoLane where the store's own copy
        would be a better one.
        """
        if job.content is None or job.head is None:
            head, pieces = read_whole(self._sides, job)
        else:
            head, pieces = job.head, list(job.content)
        if head.tagged and self._sides.copies:
            raise NoLane("its tags would stay behind", subject=job.source.key)
        sha256 = sha256_of(pieces)
        check_publisher(job, sha256)
        if doubted(job):
            check_source(self._sides, job, md5_of(pieces))
        return Fetched(job, head, pieces, sha256)

    def move(self, batch: Sequence[Fetched]) -> list[Moved | None]:
        sides, destination = self._sides, self._sides.destination
        members = [
            Member(one.job.key, one.pieces, attributes_of(sides, one.job, one.head))
            for one in batch
        ]
        destination.store.put_many(destination.bucket, members)
        etags = listed(sides.destination, [member.key for member in members])
        return [_proved(sides, one, etags.get(one.job.key)) for one in batch]


def _is_clean(key: str) -> bool:
    """Whether the key is one that unpacking leaves as it is: it cleans names as of files."""
    return not ("\0" in key or key.endswith("/") or is_odd(key))


def _proved(sides: Sides, one: Fetched, etag: str | None) -> Moved | None:
    job = one.job
    # The source's ETag is the cheaper witness: the store computed the same MD5 of what it holds.
    if etag is None or (etag != job.source.md5 and etag != md5_of(one.pieces)):
        remove_other(sides, job, etag)
        return None
    proof = Proof.PUBLISHER_SHA256 if job.digest is not None else Proof.ETAG_MD5
    return Moved(Lane.PACKED, proof, etag, one.sha256)
