"""The traditional way, and the baseline: down to a temporary file, then up from it."""

import errno
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from lakebed.errors import DiskFull
from lakebed.model.objects import Span
from lakebed.model.operation import Lane
from lakebed.model.quantity import KIB
from lakebed.store.capabilities import Capability
from lakebed.transfer.lanes import whole
from lakebed.transfer.lanes.moved import Moved, attributes_of, check_length, pinned
from lakebed.transfer.lanes.multipart import upload
from lakebed.transfer.proof import check_publisher, prove_single, sha256_of
from lakebed.transfer.sides import Job, Sides

_CHUNK = 256 * KIB


@dataclass(frozen=True, slots=True)
class _FileSpan:
    """A span of the staged file as a body."""

    path: str
    span: Span

    @property
    def size(self) -> int:
        return self.span.size

    def chunks(self) -> Iterator[bytes]:
        with open(self.path, "rb") as file:
            file.seek(self.span.start)
            left = self.size
            while left and (data := file.read(min(_CHUNK, left))):
                left -= len(data)
                yield data


def move(sides: Sides, job: Job) -> Moved:
    source, destination = sides.source, sides.destination
    with _disk_full(job), tempfile.NamedTemporaryFile(prefix="lakebed-") as file:
        with pinned(job):
            head = source.store.get(
                source.bucket, job.source.key, _writer(sides, file), if_match=job.source.etag
            )
        file.flush()
        check_length(job, file.tell())
        staged = _FileSpan(file.name, Span(0, job.source.size))
        sha256 = sha256_of(staged.chunks())
        check_publisher(job, sha256)
        attributes = attributes_of(sides, job, head)
        if job.source.size > whole.LIMIT:
            written, proof, sha256 = upload(
                sides, job, attributes, lambda span: _FileSpan(file.name, span)
            )
            return Moved(Lane.STAGED, proof, written.etag, sha256)
        written = destination.store.put(
            destination.bucket,
            job.key,
            staged,
            attributes=attributes,
            sha256=sha256 if Capability.SHA256 in destination.capabilities else None,
        )
        proof = prove_single(job, destination, written, staged.chunks(), sha256)
    return Moved(Lane.STAGED, proof, written.etag, sha256)


class _writer:  # noqa: N801  (reads as the function it is called like)
    def __init__(self, sides: Sides, file: IO[bytes]) -> None:
        self._file, self._sides = file, sides

    def __call__(self, data: bytes) -> None:
        self._file.write(data)


@contextmanager
def _disk_full(job: Job) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise DiskFull(
            f"no room for {job.source.size} bytes in {tempfile.gettempdir()}",
            subject=job.source.key,
            advice="free some, set TMPDIR, or use --mode direct_sync, which needs no disk",
        ) from None
