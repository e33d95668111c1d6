"""What is moved: archives with the CHECKSUM of each, the same bytes on every machine."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from random import Random

MIB = 1024**2


@cache
def _block() -> bytes:
    """1 MiB that does not compress; each archive starts elsewhere in it."""
    return Random(20260212).randbytes(MIB)


@dataclass(frozen=True, slots=True)
class Archive:
    """A body in chunks of 1 MiB or less. `size` in bytes."""

    number: int
    size: int

    @property
    def key(self) -> str:
        symbol = f"S{self.number % 250:03d}USDT"
        year, month = divmod(self.number // 250, 12)
        name = f"{symbol}-1m-{2000 + year}-{month + 1:02d}.zip"
        return f"data/spot/monthly/klines/{symbol}/1m/{name}"

    def chunks(self) -> Iterator[bytes]:
        block, left = _block(), self.size
        for turn in range(-(-self.size // MIB)):
            wanted = min(left, MIB)
            head = b"%016d%016d" % (self.number, turn)
            start = (self.number * 7919 + turn * 104_729) % MIB
            tail = block[start : start + wanted]
            yield (head + tail + block[: wanted - len(tail)])[:wanted]
            left -= wanted

    def checksum(self) -> bytes:
        digest = hashlib.sha256()
        for chunk in self.chunks():
            digest.update(chunk)
        return f"{digest.hexdigest()}  {self.key.rpartition('/')[2]}\n".encode()


@dataclass(frozen=True, slots=True)
class Dataset:
    """`name` is that of its bucket; `sizes` in bytes, one for each archive."""

    name: str
    sizes: tuple[int, ...]

    @property
    def objects(self) -> int:
        """Archives and their CHECKSUMs."""
        return 2 * len(self.sizes)

    def archives(self) -> Iterator[Archive]:
        return (Archive(number, size) for number, size in enumerate(self.sizes))


def log_uniform(draw: Random, least: float, most: float) -> int:
    """Bytes, each octave as likely as the next."""
    return int(least * (most / least) ** draw.random())


def scaled(count: int, scale: float) -> int:
    """`count` made smaller, but never nothing."""
    return max(1, round(count * scale))


def small(scale: float, archives: int = 5_000) -> Dataset:
    """Archives of 1 to 100 KB, log-uniform: 22 KB each in the mean."""
    draw = Random(1)
    count = scaled(archives, scale)
    return Dataset(f"small-{count}", tuple(log_uniform(draw, 1e3, 1e5) for _ in range(count)))


def tiny(scale: float, archives: int = 100_000) -> Dataset:
    """Archives of 16 bytes, for cases that only list."""
    count = scaled(archives, scale)
    return Dataset(f"tiny-{count}", (16,) * count)


def large(scale: float, archives: int = 8, size: int = 256 * MIB) -> Dataset:
    """A few large archives; `scale` makes them smaller, not fewer."""
    return Dataset(f"large-{archives}", (scaled(size, scale),) * archives)


_MIX = ((0.80, 1e3, 1e5), (0.15, 1e5, 2e6), (0.045, 2e6, 2e7), (0.005, 2e7, 2e8))
"""Share of the archives, and their least and most bytes."""


def mixed(scale: float, archives: int = 2_000) -> Dataset:
    """The shape of a market-data archive: most files are small, most bytes are in the large."""
    draw = Random(2)
    count = scaled(archives, scale)
    sizes = [
        log_uniform(draw, least, most)
        for share, least, most in _MIX
        for _ in range(scaled(round(count * share), 1))
    ]
    draw.shuffle(sizes)
    return Dataset(f"mixed-{count}", tuple(sizes))
