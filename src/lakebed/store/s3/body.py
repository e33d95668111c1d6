"""The two ends that libcurl talks to: one takes an answer, one gives a body.

libcurl calls these from C and can only be told "stop"; what went wrong is kept in `failure`.
"""

from collections.abc import Callable, Generator, Iterator
from functools import cached_property

import pycurl

from lakebed.store.contract import Body, Sink

Check = Callable[[int, dict[str, str]], "Slice"]
"""Looks at status and headers before the first byte; raises where the body is not wanted."""


class Slice:
    """Which bytes of the coming body are wanted: skip some, take some (None: all of them)."""

    __slots__ = ("skip", "take")

    def __init__(self, skip: int = 0, take: int | None = None) -> None:
        self.skip = skip
        self.take = take


class Receiver:
    """Takes one answer: a success into `sink` (after `check`), all else into memory."""

    def __init__(self, sink: Sink | None = None, check: Check | None = None) -> None:
        self._sink = sink
        self._check = check
        self._lines: list[bytes] = []
        self.header = self._lines.append
        self._pieces: list[bytes] = []
        self._deliver: Sink | None = None
        self._slice = Slice()
        self.failure: BaseException | None = None
        self.complete = False
        """All wanted bytes have come; the answer holds more, which is not read."""

    @property
    def collected(self) -> bytes:
        return b"".join(self._pieces)

    @cached_property
    def _head(self) -> tuple[int, dict[str, str]]:
        """Status and headers of the last answer on the wire: a 100 Continue may come before it."""
        begins = [n for n, line in enumerate(self._lines) if line.startswith(b"HTTP/")]
        if not begins:
            return 0, {}
        first, *lines = self._lines[begins[-1] :]
        text = b"".join(lines).decode(errors="surrogateescape")
        fields = (line.partition(":") for line in text.split("\r\n"))
        headers = {name.lower(): value.strip() for name, colon, value in fields if colon}
        return int(first.split(None, 2)[1]), headers

    @property
    def status(self) -> int:
        return self._head[0]

    @property
    def headers(self) -> dict[str, str]:
        """Names in lower case."""
        return self._head[1]

    def settle(self) -> None:
        """Decide where the body goes; also called for an answer without one."""
        if self._deliver is not None:
            return
        if self._sink is None or self.status >= 300:
            self._deliver = self._pieces.append
            return
        if self._check is not None:
            self._slice = self._check(self.status, self.headers)
        self._deliver = self._sink

    def write(self, data: bytes) -> int | None:
        try:
            self.settle()
            if self._slice.take == 0:
                self.complete = True
                return 0
            wanted = self._cut(data)
            if wanted and self._deliver is not None:
                self._deliver(wanted)
        except BaseException as failure:  # carried out of libcurl's C frames, raised by the client
            self.failure = failure
            return 0
        return None

    def _cut(self, data: bytes) -> bytes:
        part = self._slice
        if part.take is None:
            return data
        if part.skip:
            dropped = min(part.skip, len(data))
            part.skip -= dropped
            data = data[dropped:]
        data = data[: part.take]
        part.take -= len(data)
        return data


class Sender:
    """Gives a body in pieces of the size that libcurl asks for."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self.size = body.size
        self._rest = memoryview(b"")
        self._chunks: Iterator[bytes] | None = None
        self.failure: BaseException | None = None

    def read(self, limit: int) -> bytes | int:
        try:
            if self._chunks is None:
                self._chunks = self._body.chunks()
            if not self._rest:
                chunk = next(filter(None, self._chunks), b"")
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
        self._chunks, self._rest = None, memoryview(b"")
