"""Archives in Binance's format: any number, any size, the same bytes for the same seed.

Everything is drawn from the seed and the key of the file alone, so that one file can be made
without the others, and a second run makes the same archive on any machine.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import chain, cycle, islice
from random import Random

from lakebed.archive.keys import ArchiveKey
from lakebed.archive.spec import Candidate, Spec, candidates
from lakebed.archive.tables import TABLES
from lakebed.archive.zipped import Zipped
from lakebed.model.pair import sidecar_of
from lakebed.store.contract import Body, Buffer

_TEMPLATES = 512
_ROWS_PER_CHUNK = 400
_IN_MEMORY = 1024**2
"""Larger files are made anew each time they are read."""
_SMALLEST, _OCTAVES = 1000, 6.64
"""Bytes of the smallest file, and how often it doubles up to the largest of 100 KB."""


@dataclass(frozen=True, slots=True)
class Pair:
    """An archive and its CHECKSUM. `archive` is None for a sidecar that lost it."""

    key: str
    archive: Body | None
    checksum: bytes

    @property
    def checksum_key(self) -> str:
        return sidecar_of(self.key)

    @property
    def size(self) -> int:
        """Bytes of the archive."""
        return self.archive.size if self.archive else 0


def pairs(spec: Spec) -> Iterator[Pair]:
    """Each pair of the archive, in no particular order; with `replace` only the replaced ones."""
    written = 0
    for made, candidate in enumerate(candidates(spec)):
        if spec.ends_at(made, written):
            return
        wanted = candidate.replaced or not spec.replace
        # Which files an archive of so many bytes has is known from the size of each.
        if wanted or spec.bytes is not None:
            pair = _pair(spec, candidate)
            written += pair.size
            if wanted:
                yield pair


def _pair(spec: Spec, candidate: Candidate) -> Pair:
    key = candidate.key
    archive = _archive(spec, candidate)
    digest = hashlib.sha256()
    for chunk in archive.chunks():
        digest.update(chunk)
    if candidate.corrupt:
        # As it happens to the publisher: a sidecar of bytes that are no longer there.
        digest.update(b"another revision")
    newline = "" if key.market == "spot" else "\n"
    checksum = f"{digest.hexdigest()}  {key.stem}.zip{newline}".encode()
    return Pair(str(key), None if candidate.half else archive, checksum)


def _archive(spec: Spec, candidate: Candidate) -> Body:
    revision = spec.revision if candidate.replaced else 1
    key = candidate.key
    draw = Random(f"{spec.seed}/{key}")
    size = candidate.size or _size(draw)
    has_header = key.market != "spot" and draw.random() < 0.5
    content = partial(_csv, _Content(key, spec.seed, size, has_header, revision))
    if size <= _IN_MEMORY:
        whole = list(content())
        return Buffer([b"".join(Zipped.of(f"{key.stem}.csv", lambda: whole).chunks())])
    return Zipped.of(f"{key.stem}.csv", content)


def _size(draw: Random) -> int:
    """Log-uniform, but for a straight line within each octave: exact on every machine."""
    octave = draw.random() * _OCTAVES
    return int(_SMALLEST * (1 << int(octave)) * (1 + octave % 1))


@dataclass(frozen=True, slots=True)
class _Content:
    key: ArchiveKey
    seed: int
    size: int
    has_header: bool
    revision: int


def _csv(content: _Content) -> Iterator[bytes]:
    """The member's bytes, some hundred rows at a time."""
    key = content.key
    table = TABLES[key.type]
    draw = Random(f"{content.seed}/{key}/rows")
    stock = _stock(content.seed, key.type, key.market)
    # A revision starts at another template, so each of its rows differs.
    offset = (draw.getrandbits(32) + content.revision) % _TEMPLATES
    templates = cycle(stock[offset:] + stock[:offset])
    fields = table.fields(key, table.count(key, content.size), draw)
    rows = (template % values for template, values in zip(templates, fields, strict=False))
    header = (table.columns(key.market) + "\n",) if content.has_header else ()
    lines = chain(header, rows)
    while chunk := "".join(islice(lines, _ROWS_PER_CHUNK)):
        yield chunk.encode()


@lru_cache(maxsize=32)
def _stock(seed: int, kind: str, market: str) -> list[str]:
    draw = Random(f"{seed}/{kind}/{market}")
    return [TABLES[kind].template(draw, market) for _ in range(_TEMPLATES)]
