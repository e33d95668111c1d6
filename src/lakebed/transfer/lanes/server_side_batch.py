"""Same endpoint, many objects at a time: the store copies them in a batch, its listing proves them.

What is copied is whatever the source is by then, so a copy counts only under the ETag that was
listed: the MD5 of the bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lakebed.model.operation import Lane, Mode, Proof, ServerSide, Unit
from lakebed.model.quantity import GIB, MIB
from lakebed.store.contract import Copying
from lakebed.transfer.lanes import whole
from lakebed.transfer.lanes.batch import Limits
from lakebed.transfer.lanes.listed import listed, remove_other
from lakebed.transfer.lanes.moved import Moved
from lakebed.transfer.lanes.server_side import checked_digest
from lakebed.transfer.proof import has_md5_etags
from lakebed.transfer.sides import Job, Sides

LIMIT = 64 * MIB
"""The largest object of a batch: with larger ones it would be silent for too long, and there is
little to gain."""


@dataclass(frozen=True, slots=True)
class Checked:
    """An object that is what its publisher says; its SHA-256 where that is known."""

    job: Job
    sha256: str | None


class ServerSideBatch:
    """The lane inside one endpoint."""

    limits = Limits(members=1000, size=4 * GIB, held=MIB)
    """A batch begins a process, 20 ms of CPU. What is held are the lines that it reads and says."""

    def __init__(self, sides: Sides) -> None:
        self._sides = sides

    @property
    def is_open(self) -> bool:
        """Whether objects can go this way at all."""
        sides, options = self._sides, self._sides.options
        return (
            options.server_side is ServerSide.S5CMD
            and sides.copies
            and has_md5_etags(sides)
            and options.mode is not Mode.TRADITIONAL
            and sides.source.location.is_folder
            and not (options.sse or options.storage_class)
            # Beside a batch that waits for more, any object must still find room.
            and sides.budget.limit >= self.limits.held + whole.LIMIT
        )

    def takes(self, unit: Unit) -> bool:
        return all(
            item.source is not None and item.source.size <= LIMIT and item.source.md5 is not None
            for item in unit.items
        )

    def prepare(self, job: Job) -> Checked:
        """Raises DigestRefused, SourceChanged."""
        return Checked(job, checked_digest(self._sides, job))

    def move(self, batch: Sequence[Checked]) -> list[Moved | None]:
        source, destination = self._sides.source, self._sides.destination
        copies = [Copying(one.job.source.key, one.job.key) for one in batch]
        said = destination.store.copy_many(source.bucket, destination.bucket, copies)
        etags = listed(destination, [one.key for one in copies])
        return [self._proved(one, said, etags.get(one.job.key)) for one in batch]

    def _proved(self, one: Checked, said: frozenset[str], etag: str | None) -> Moved | None:
        job = one.job
        if job.key not in said:
            return None  # nothing was done about it
        if etag is None or etag != job.source.md5:
            remove_other(self._sides, job, etag)
            return None
        is_checked = job.digest is not None and one.sha256 is not None
        proof = Proof.PUBLISHER_SHA256 if is_checked else Proof.ETAG_MD5
        return Moved(Lane.SERVER_SIDE_BATCH, proof, etag, one.sha256)
