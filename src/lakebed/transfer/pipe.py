"""A range of a source object as a body: read by a thread of its own while it is being sent."""

import threading
from collections import deque
from collections.abc import Iterator
from contextvars import copy_context
from functools import partial
from types import TracebackType
from typing import Self

from lakebed.model.objects import Span
from lakebed.store.cancellation import Cancellation
from lakebed.transfer.lanes.moved import pinned
from lakebed.transfer.sides import Job, Sides

DEPTH = 2 * 1024**2
"""Bytes that may wait between reading and sending; what a stream holds in memory."""
PIECE = 256 * 1024
"""Bytes that are handed over at once: libcurl gives 16 KiB at most, and waking the other thread
for each of those costs half as much CPU again (docs/adr/0001)."""
_POLL = 0.5
"""Seconds between two looks at the cancellation while waiting."""
_FAREWELL = 5.0
"""Seconds that a reader is waited for once nobody wants its bytes: it hears so at the next one, and
a source that is silent may not send any until its stall timeout is over."""


class Pipe:
    """Bytes from one thread to another, in order. No more are taken while `depth` are waiting.

    With a depth of 0 nothing can be written: it stands for a pipe that is not there yet.
    """

    def __init__(self, depth: int, cancellation: Cancellation) -> None:
        self._depth = depth
        self._piece = min(PIECE, depth // 2)
        self._gathered: list[bytes] = []
        self._gathered_size = 0
        self._cancellation = cancellation
        self._changed = threading.Condition()
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._ended = False
        self._abandoned = False
        self._failure: BaseException | None = None

    def write(self, data: bytes) -> None:
        """Wait for room; raises BrokenPipeError once nobody reads any more."""
        if self._abandoned:
            raise BrokenPipeError
        self._gathered.append(data)
        self._gathered_size += len(data)
        if self._gathered_size >= self._piece:
            self._hand_over()

    def _hand_over(self) -> None:
        with self._changed:
            while self._size >= self._depth and not self._abandoned:
                self._cancellation.check()
                self._changed.wait(_POLL)
            if self._abandoned:
                raise BrokenPipeError
            self._let_through()

    def _let_through(self) -> None:
        if self._gathered:
            self._waiting.append(b"".join(self._gathered))
            self._size += self._gathered_size
            self._gathered, self._gathered_size = [], 0
        self._changed.notify_all()

    def end(self, failure: BaseException | None) -> None:
        """Nothing more comes after what was written; a `failure` is raised behind it."""
        with self._changed:
            self._ended, self._failure = True, failure
            self._let_through()

    def abandon(self) -> None:
        with self._changed:
            self._abandoned = True
            self._changed.notify_all()

    def read(self) -> bytes:
        """The next bytes, empty at the end; raises what ended the other side."""
        with self._changed:
            while not self._waiting and not self._ended:
                self._cancellation.check()
                self._changed.wait(_POLL)
            if self._waiting:
                data = self._waiting.popleft()
                self._size -= len(data)
                self._changed.notify_all()
                return data
            if self._failure is not None:
                raise self._failure
            return b""


class Ranged:
    """The bytes of `span` of the listed revision, read anew for each attempt to send them.

    A context: whatever became of the attempts, nobody reads any more when it is left. But for a
    reader whose source is silent just then: it is not waited for beyond `_FAREWELL`, holds nothing
    but its connection, and ends with the next byte or the source's stall timeout.
    """

    def __init__(self, sides: Sides, job: Job, span: Span) -> None:
        self._sides, self._job, self._span = sides, job, span
        self._pipe = Pipe(0, sides.cancellation)
        self._reader: threading.Thread | None = None

    @property
    def size(self) -> int:
        return self._span.size

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def chunks(self) -> Iterator[bytes]:
        self._stop()
        depth = min(DEPTH, self._sides.budget.limit)
        pipe = self._pipe = Pipe(depth, self._sides.cancellation)
        # In the context of who sends: what is told of the reading belongs to the same object.
        read = partial(copy_context().run, self._read, pipe)
        self._reader = threading.Thread(target=read, name="lakebed-reader")
        self._reader.start()
        while data := pipe.read():
            yield data

    def _stop(self) -> None:
        """End the reader of an earlier attempt; who sent its bytes may have left them half read."""
        if self._reader is not None:
            self._pipe.abandon()
            self._reader.join(_FAREWELL)

    def _read(self, pipe: Pipe) -> None:
        source, job = self._sides.source, self._job
        try:
            with pinned(job.source.key):
                source.store.get(
                    source.bucket,
                    job.source.key,
                    pipe.write,
                    span=self._span,
                    if_match=job.source.etag,
                )
            pipe.end(None)
        except BrokenPipeError:
            return  # nobody waits for the rest
        except BaseException as failure:
            pipe.end(failure)
