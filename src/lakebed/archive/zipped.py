"""A zip file of one member as a stream, whose bytes are the same on every machine.

The member is deflated in the format's stored blocks, which hold the bytes as they are: what a
compressor makes of the same input differs between builds of zlib, this does not.
"""

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Self

_BLOCK = 65_535
"""The most that a stored block can hold (RFC 1951, section 3.2.4)."""
_LAST_BLOCK = b"\x01\x00\x00\xff\xff"
_ELSEWHERE = 0xFFFFFFFF
"""Stands in a field of 32 bits for a number that a field of 64 holds."""
_ZIP64_FROM = _ELSEWHERE
_DEFLATED, _UTF8, _REGULAR_FILE = 8, 0x800, 0o100644 << 16
_PLAIN, _ZIP64 = 20, 45
"""Versions of the format that a reader must know."""
_STAMP = ((7 << 11) | (48 << 5), ((2023 - 1980) << 9) | (7 << 5) | 17)
"""When each member was written, in the format of MS-DOS: 2023-07-17 07:48."""


@dataclass(frozen=True, slots=True)
class Zipped:
    """A body for a store: its size is known, and its chunks can be asked for again.

    `content` gives the member's bytes anew on each call, always the same and in the same chunks.
    """

    head: bytes
    content: Callable[[], Iterable[bytes]]
    foot: bytes
    packed: int
    """Bytes of the deflated member."""

    @classmethod
    def of(cls, name: str, content: Callable[[], Iterable[bytes]]) -> Self:
        """Reads `content` once, for its length and CRC; keeps none of it."""
        size = packed = crc = 0
        for chunk in content():
            crc = zlib.crc32(chunk, crc)
            size += len(chunk)
            packed += len(chunk) + 5 * -(-len(chunk) // _BLOCK)
        packed += len(_LAST_BLOCK)
        encoded = name.encode()
        flags = 0 if name.isascii() else _UTF8
        large = packed >= _ZIP64_FROM
        version = _ZIP64 if large else _PLAIN
        sizes = (_ELSEWHERE, _ELSEWHERE) if large else (packed, size)
        extra = struct.pack("<HHQQ", 1, 16, size, packed) if large else b""
        common = struct.pack(
            "<HHHHHLLLHH",
            version, flags, _DEFLATED, *_STAMP, crc, *sizes, len(encoded), len(extra),
        )  # fmt: skip
        head = b"PK\x03\x04" + common + encoded + extra
        entry = (
            b"PK\x01\x02"
            + struct.pack("<BB", version, 3)
            + common
            + struct.pack("<HHHLL", 0, 0, 0, _REGULAR_FILE, 0)
            + encoded
            + extra
        )
        return cls(head, content, entry + _end(len(entry), len(head) + packed), packed)

    @property
    def size(self) -> int:
        return len(self.head) + self.packed + len(self.foot)

    def chunks(self) -> Iterator[bytes]:
        yield self.head
        for chunk in self.content():
            for start in range(0, len(chunk), _BLOCK):
                block = chunk[start : start + _BLOCK]
                yield struct.pack("<BHH", 0, len(block), len(block) ^ 0xFFFF) + block
        yield _LAST_BLOCK + self.foot


def _end(size: int, offset: int) -> bytes:
    """The end of a directory of one entry: `size` bytes that begin at `offset`."""
    large = offset >= _ZIP64_FROM
    known = _ELSEWHERE if large else offset
    end = struct.pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, 1, 1, size, known, 0)
    if not large:
        return end
    record = struct.pack(
        "<4sQHHLLQQQQ", b"PK\x06\x06", 44, _ZIP64, _ZIP64, 0, 0, 1, 1, size, offset
    )
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, offset + size, 1)
    return record + locator + end
