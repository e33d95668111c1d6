"""A file that is read: one revision of it, or an error."""

import os
import stat
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from lakebed.errors import BodyTruncated, ObjectMissing, PreconditionFailed, RequestRefused
from lakebed.model.objects import Span
from lakebed.model.quantity import KIB
from lakebed.store.cancellation import Cancellation
from lakebed.store.folder.failures import reading
from lakebed.store.folder.revision import head_of, revision

_CHUNK = 256 * KIB
"""Bytes handed over at once: few enough to hear of a cancellation at once, and as many as
transfer/pipe.py gathers."""


class Opened:
    """The file at `path` as it is now, or as `if_match` says it is. A context.

    Raises ObjectMissing where there is no file, PreconditionFailed where it is another revision.
    """

    def __init__(self, path: bytes, subject: str, if_match: str | None = None) -> None:
        self._path, self._subject, self._if_match = path, subject, if_match

    def __enter__(self) -> Self:
        with reading(self._subject):
            # A pipe in its place must not keep us waiting for somebody who writes.
            self.fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            found = os.fstat(self.fd)
            if not stat.S_ISREG(found.st_mode):
                raise ObjectMissing("it is no file", subject=self._subject)
            self.head = head_of(found)
            if self._if_match not in (None, self.head.etag):
                raise PreconditionFailed("it is another revision now", subject=self._subject)
        except BaseException:
            os.close(self.fd)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self.fd)

    def chunks(self, span: Span | None, cancellation: Cancellation) -> Iterator[bytes]:
        """The bytes of `span`, or all. The revision is compared after each read, so that of a file
        that is written to meanwhile nothing is handed on that may be newer.

        Raises RequestRefused for a span that it has not.
        """
        span = span or Span(0, self.head.size)
        self.check_span(span)
        for start in range(span.start, span.end, _CHUNK):
            cancellation.check()
            wanted = min(_CHUNK, span.end - start)
            with reading(self._subject):
                data = os.pread(self.fd, wanted, start)
            self.check()
            if len(data) != wanted:
                raise BodyTruncated("it ended before its size", subject=self._subject)
            yield data

    def check_span(self, span: Span) -> None:
        """Raise RequestRefused where it has not these bytes."""
        size = self.head.size
        if not 0 <= span.start <= span.end <= size:
            raise RequestRefused(
                f"bytes {span.start} to {span.end} are not in its {size}", subject=self._subject
            )

    def check(self) -> None:
        """Raise PreconditionFailed where it was written to since it was opened."""
        if revision(os.fstat(self.fd)) != self.head.etag:
            raise PreconditionFailed("it was written to while it was read", subject=self._subject)
