"""The two ends that libcurl talks to: one takes an answer, one gives a body.

libcurl calls these from C and can only be told "stop"; what went wrong is kept in `failure`.
"""

import re
from collections.abc import Callable, Generator, Iterator, Mapping

import pycurl

from lakebed.errors import BodyTruncated, RequestRefused
from lakebed.store.contract import Body, Sink

MOST_COLLECTED = 16 * 1024 * 1024
"""Bytes of an answer that is read whole: a page of 1,000 keys of 1,024 bytes, each byte escaped,
with all that stands beside them, is a quarter of it."""

Check = Callable[[int, Mapping[str, str]], "Slice"]
"""Looks at status and headers before the first byte; raises where the body is not wanted."""


class Slice:
    """Which bytes of the coming body are wanted: skip some, take some (None: all of them)."""

    __slots__ = ("skip", "take")

    def __init__(self, skip: int = 0, take: int | None = None) -> None:
        self.skip = skip
        self.take = take


_ALL = Slice()
_STATUS = re.compile(r"HTTP/\S+ +(\d{3})")


class Receiver:
    """Takes one answer: a success into `sink` (after `check`), all else into memory."""

    def __init__(self, sink: Sink | None = None, check: Check | None = None) -> None:
        self._sink = sink
        self._check = check
        self._lines: list[bytes] = []
        self.header = self._lines.append
        self._pieces: list[bytes] = []
        self._size = 0
        self._deliver: Sink | None = None
        self._slice = _ALL
        self._status = 0
        self._ended = False
        self._headers: dict[str, str] | None = None
        self.failure: BaseException | None = None
        self.complete = False
        """All wanted bytes have come; the answer holds more, which is not read."""

    @property
    def collected(self) -> bytes:
        return b"".join(self._pieces)

    def _read_head(self) -> dict[str, str]:
        """Of the last answer on the wire: a 100 Continue may come before it."""
        text = b"".join(self._lines).decode(errors="surrogateescape")
        head = text[text.rfind("\nHTTP/") + 1 :]
        self._ended = "\n\r\n" in head or "\n\n" in head
        line, *fields = head.split("\n")
        found = _STATUS.match(line)
        self._status = int(found[1]) if found else 0
        parted = [field.partition(":") for field in fields] if found else []
        self._headers = {name.lower(): value.strip() for name, colon, value in parted if colon}
        return self._headers

    @property
    def status(self) -> int:
        """0 where no answer came."""
        if self._headers is None:
            self._read_head()
        return self._status

    @property
    def headers(self) -> dict[str, str]:
        """By names in lower case."""
        return self._headers if self._headers is not None else self._read_head()

    @property
    def is_cut(self) -> bool:
        """Whether the head did not come as a whole: what there is of it may be half a value."""
        if self._headers is None:
            self._read_head()
        return not self._ended

    @property
    def missing(self) -> int:
        """Bytes of the wanted slice that did not come."""
        return self._slice.take or 0

    def settle(self) -> None:
        """Decide where the body goes; also called for an answer without one."""
        if self._deliver is not None:
            return
        if self._sink is None or self.status >= 300:
            self._deliver = self._collect
            return
        if self._check is not None:
            self._slice = self._check(self.status, self.headers)
        self._deliver = self._sink

    def _collect(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > MOST_COLLECTED:
            raise RequestRefused(f"the answer has more than {MOST_COLLECTED} bytes")
        self._pieces.append(data)

    def write(self, data: bytes) -> int | None:
        try:
            self.settle()
            if self._slice.take == 0:
                self.complete = True
                return 0
            if self._slice is not _ALL:
                data = self._cut(data)
            if data and self._deliver is not None:
                self._deliver(data)
        except BaseException as failure:  # carried out of libcurl's C frames, raised by the client
            self.failure = failure
            return 0
        return None

    def _cut(self, data: bytes) -> bytes:
        part = self._slice
        if part.skip:
            dropped = min(part.skip, len(data))
            part.skip -= dropped
            data = data[dropped:]
        if part.take is not None:
            data = data[: part.take]
            part.take -= len(data)
        return data


class Sender:
    """Gives a body in pieces of the size that libcurl asks for."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self.size = body.size
        self._rest = memoryview(b"")
        self._given = 0
        self._chunks: Iterator[bytes] | None = None
        self.failure: BaseException | None = None

    def read(self, limit: int) -> bytes | int:
        try:
            if self._chunks is None:
                self._chunks = self._body.chunks()
            if not self._rest:
                chunk = next(filter(None, self._chunks), b"")
                self._given += len(chunk)
                if self._given > self.size:
                    raise BodyTruncated(f"the body has more than its {self.size} bytes")
                if len(chunk) <= limit:
                    return chunk
                self._rest = memoryview(chunk)
            piece = bytes(self._rest[:limit])
            self._rest = self._rest[limit:]
        except BaseException as failure:  # as in Receiver.write
            self.failure = failure
            return int(pycurl.READFUNC_ABORT)
        return piece

    def seek(self, offset: int, origin: int) -> int:
        """libcurl begins anew on a fresh connection where a kept one had gone away."""
        if offset != 0 or origin != 0:
            return int(pycurl.SEEKFUNC_CANTSEEK)
        self.close()
        return int(pycurl.SEEKFUNC_OK)

    def close(self) -> None:
        """Let go of the body; one that is being produced ends its work."""
        if isinstance(self._chunks, Generator):
            self._chunks.close()
        self._chunks, self._rest, self._given = None, memoryview(b""), 0
