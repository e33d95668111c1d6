"""The traditional way, and the baseline: down to a temporary file, then up from it."""

import errno
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import IO

from lakebed.errors import DiskFull, NoLane
from lakebed.model.objects import Attributes, Span
from lakebed.model.operation import Lane
from lakebed.model.quantity import KIB
from lakebed.store.capabilities import Capability
from lakebed.store.contract import Body
from lakebed.transfer.lanes import whole
from lakebed.transfer.lanes.moved import Moved, attributes_of, check_length, pinned
from lakebed.transfer.lanes.multipart import upload
from lakebed.transfer.proof import (
    check_publisher,
    check_source,
    doubted,
    md5_of,
    prove_single,
    sha256_of,
)
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
    source = sides.source
    with _temporary(job) as file:

        def take(data: bytes) -> None:
            with _room(job):
                file.write(data)
            sides.passed(len(data))

        with pinned(job.source.key):
            head = source.store.get(source.bucket, job.source.key, take, if_match=job.source.etag)
        with _room(job):
            file.flush()
        check_length(job, file.tell())
        return _sent(sides, job, file.name, attributes_of(sides, job, head))


def _sent(sides: Sides, job: Job, path: str, attributes: Attributes) -> Moved:
    destination = sides.destination
    can = destination.capabilities
    staged = _FileSpan(path, Span(0, job.source.size))
    sha256 = sha256_of(staged.chunks())
    check_publisher(job, sha256)
    if doubted(job):
        check_source(sides, job, md5_of(staged.chunks()))
    if job.source.size > whole.LIMIT and Capability.MULTIPART in can:

        def body_of(span: Span) -> AbstractContextManager[Body]:
            return nullcontext(_FileSpan(path, span))

        written, proof, sha256 = upload(sides, job, attributes, body_of)
    else:
        written = destination.store.put(
            destination.bucket,
            job.key,
            staged,
            attributes=attributes,
            sha256=sha256 if Capability.SHA256 in can else None,
        )
        proof = prove_single(sides, job, written, staged.chunks(), sha256)
    return Moved(Lane.STAGED, proof, written.etag, sha256)


@contextmanager
def _temporary(job: Job) -> Iterator[IO[bytes]]:
    with _room(job):
        file = tempfile.NamedTemporaryFile(prefix="lakebed-")  # noqa: SIM115  (closed below)
    try:
        yield file
    finally:
        with suppress(OSError):  # closing writes what is buffered; a full disk was told already
            file.close()


@contextmanager
def _room(job: Job) -> Iterator[None]:
    """Only work on the temporary file belongs inside."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(
                f"no room for {job.source.size} bytes in the temporary folder",
                subject=job.source.key,
                advice="free some, set TMPDIR, or use --mode direct_sync, which needs no disk",
            ) from None
        raise NoLane(
            f"no temporary file can be written: {error.strerror}",
            subject=job.source.key,
            advice="set TMPDIR to a folder that can be written, or use --mode direct_sync",
        ) from None
