"""The parts of one object in flight: read at once by several threads, digested in order, sent.

A part holds its buffer from before it is read until it is sent. Buffers are reserved in the order
of the parts, so the part whose turn it is to be digested always has one: whatever else fills the
budget, somebody can go on.
"""

import hashlib
import sys
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

from lakebed.errors import ProofFailed
from lakebed.model.checksum import Checksum
from lakebed.model.objects import Part, Span
from lakebed.model.quantity import KIB
from lakebed.store.cancellation import Cancellation
from lakebed.transfer.lanes.moved import pinned
from lakebed.transfer.proof import doubted, has_md5_etags, md5_of
from lakebed.transfer.sides import Job, Sides
from lakebed.transfer.uploads import Begun

THREADS = 6
"""Parts of one object in flight at the most; docs/adr/0011 has the measurement."""
PIECE = 256 * KIB
"""Bytes that are handed to libcurl at once: as many as it sends at once."""
_POLL = 0.5
"""Seconds between two looks at the cancellation while waiting."""


@dataclass(frozen=True, slots=True)
class Slab:
    """A part in memory as a body, in pieces that libcurl takes as they are."""

    data: memoryview

    @property
    def size(self) -> int:
        return len(self.data)

    def chunks(self) -> Iterator[bytes]:
        for start in range(0, len(self.data), PIECE):
            yield bytes(self.data[start : start + PIECE])


class InOrder:
    """Digests of an object whose parts come from several threads, each waiting for its turn."""

    def __init__(self, cancellation: Cancellation, *, with_md5: bool) -> None:
        self._cancellation = cancellation
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False) if with_md5 else None
        self._next = 1
        self._broken = sys.maxsize
        """The first part that failed."""
        self._changed = threading.Condition()

    @property
    def sha256(self) -> str:
        return self._sha256.hexdigest()

    @property
    def md5(self) -> str | None:
        return self._md5.hexdigest() if self._md5 is not None else None

    def update(self, number: int, data: memoryview) -> None:
        """Digest part `number` once all before it are; BrokenPipeError where one of them failed."""
        with self._changed:
            while self._next != number and number < self._broken:
                self._cancellation.check()
                self._changed.wait(_POLL)
            if number > self._broken:
                raise BrokenPipeError
        # Without the lock: only one number has its turn.
        self._sha256.update(data)
        if self._md5 is not None:
            self._md5.update(data)
        with self._changed:
            self._next += 1
            self._changed.notify_all()

    def stop(self, number: int = 0) -> None:
        """Part `number` failed, so none after it gets its turn."""
        with self._changed:
            self._broken = min(self._broken, number)
            self._changed.notify_all()


class Flight:
    """Brings each part of an upload that it does not hold yet from the source to it."""

    def __init__(self, sides: Sides, job: Job, upload: Begun, upload_id: str) -> None:
        self._sides, self._job = sides, job
        self._upload, self._upload_id = upload, upload_id
        self._kept = {part.number: part for part in upload.parts}
        self._proves_parts = has_md5_etags(sides)
        # Only these are worth reading again what is at the destination already.
        self._reads_all = not self._kept or job.digest is not None or doubted(job)
        self.digests = InOrder(sides.cancellation, with_md5=doubted(job))
        self._counting = threading.Lock()
        self.reread_bytes = 0
        """Bytes of kept parts that were read again."""

    @property
    def digested(self) -> bool:
        """Whether every byte of the object passes, so that its digests are known."""
        return self._reads_all

    def parts(self) -> list[Part]:
        """Each part, acknowledged. Nothing of the flight goes on when this returns or raises."""
        parts: list[Part] = []
        flying: deque[Future[Part]] = deque()
        with ThreadPoolExecutor(THREADS, thread_name_prefix="lakebed-part") as pool:
            try:
                for number, span in enumerate(self._upload.spans(), start=1):
                    if len(flying) == THREADS:
                        parts.append(flying.popleft().result())
                    flying.append(self._begun(pool, number, span))
                parts.extend(one.result() for one in flying)
            except BaseException:
                self.digests.stop()
                raise
        return parts

    def _begun(self, pool: ThreadPoolExecutor, number: int, span: Span) -> Future[Part]:
        if number in self._kept and not self._reads_all:
            known: Future[Part] = Future()
            known.set_result(self._kept[number])
            return known
        held = ExitStack()
        buffer = held.enter_context(self._sides.budget.buffer(span.size))
        return pool.submit(self._pass, number, span, buffer, held)

    def _pass(self, number: int, span: Span, data: memoryview, held: ExitStack) -> Part:
        with held:
            try:
                return self._passed(number, span, data)
            except BaseException:
                # Now, not when its turn comes: those that wait for it hold what others need.
                self.digests.stop(number)
                raise

    def _passed(self, number: int, span: Span, data: memoryview) -> Part:
        self._read(span, data)
        algorithm = self._upload.algorithm
        checksum = Checksum.of(algorithm, data) if algorithm is not None else None
        if self._reads_all:
            self.digests.update(number, data)
        part = self._kept.get(number)
        if part is None or not self._holds(part, data, checksum):
            return self._send(number, data, checksum)
        with self._counting:
            self.reread_bytes += span.size
        return part

    def _read(self, span: Span, data: memoryview) -> None:
        source, job = self._sides.source, self._job
        came = told = 0

        def take(chunk: bytes) -> None:
            nonlocal came, told
            end = came + len(chunk)
            data[came:end] = chunk
            came = end
            if came - told >= PIECE:
                self._sides.passed(came - told)
                told = came

        with pinned(job.source.key):
            source.store.get(
                source.bucket, job.source.key, take, span=span, if_match=job.source.etag
            )
        self._sides.passed(came - told)

    def _holds(self, part: Part, data: memoryview, checksum: Checksum | None) -> bool:
        """Whether the kept part is of these bytes: the first reading may have been spoiled."""
        return part.checksum == checksum if checksum is not None else part.etag == md5_of([data])

    def _send(self, number: int, data: memoryview, checksum: Checksum | None) -> Part:
        destination, key = self._sides.destination, self._job.key
        part = destination.store.upload_part(
            destination.bucket, key, self._upload_id, number, Slab(data), checksum=checksum
        )
        if checksum is None and self._proves_parts and part.etag != (md5 := md5_of([data])):
            raise ProofFailed(
                f"part {number} has the ETag {part.etag}, the bytes sent have {md5}", subject=key
            )
        self._sides.uploads.add(key, part)
        return part
