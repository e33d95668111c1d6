"""A list of keys (`--files-from`), of any length and in any order, read as a stream and sorted."""

import hashlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO

from lakebed.errors import DiskFull, UsageError
from lakebed.model.location import MAX_KEY_BYTES
from lakebed.model.operation import Filters, KeyFile
from lakebed.model.pair import is_sidecar, may_have_sidecar, sidecar_of

_BLOCK = 256 * 1024
_TABLE = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -4096;
CREATE TABLE wanted (key BLOB PRIMARY KEY) WITHOUT ROWID;
"""
"""In a private file of SQLite's own; blobs order by their bytes."""


_Seen = Callable[[bytes], object]


class Wanted:
    """Relative keys, each once, in UTF-8 order. Asked from several threads."""

    def __init__(self, table: sqlite3.Connection) -> None:
        self._table = table
        self._lock = threading.Lock()

    def next(self, after: str, count: int) -> list[str]:
        """At most `count` keys that come after `after`; none at the end."""
        with self._lock:
            rows = self._table.execute(
                "SELECT key FROM wanted WHERE key > ? ORDER BY key LIMIT ?",
                (after.encode(), count),
            ).fetchall()
        return [key.decode() for (key,) in rows]


@contextmanager
def wanted(filters: Filters, sidecars: bool) -> Iterator[Wanted | None]:
    """The keys that `filters` name, None where they name none in particular.

    With `sidecars` each archive brings its sidecar along, and a sidecar is not named alone. Raises
    UsageError where the file cannot be read, holds no keys, or is no longer what it was when the
    operation began; DiskFull where the list finds no room in the temporary folder.
    """
    if filters.keys is None and filters.keys_file is None:
        yield None
        return
    with closing(sqlite3.connect("", check_same_thread=False)) as table:
        try:
            table.executescript(_TABLE)
            table.executemany(
                "INSERT OR IGNORE INTO wanted VALUES (?)",
                ((key.encode(),) for key in _with_sidecars(_named(filters), sidecars)),
            )
        except sqlite3.OperationalError as error:
            raise DiskFull(
                f"the list of keys cannot be put in order: {error}",
                subject="--files-from",
                advice="free space in the temporary folder, or set TMPDIR to another one",
            ) from error
        yield Wanted(table)


def key_file(path: Path, *, nul: bool = False) -> KeyFile:
    """What a request remembers of a file of keys. Raises UsageError where it is none."""
    digest = hashlib.sha256()
    for _ in _read(path, nul, digest.update):
        pass
    return KeyFile(str(path.absolute()), digest.hexdigest(), nul)


def keys_of(text: bytes, subject: str, *, nul: bool = False) -> tuple[str, ...]:
    """The keys of a list that is in memory. Raises UsageError."""
    return tuple(_keys(iter([text]), nul, subject))


def _named(filters: Filters) -> Iterator[str]:
    yield from filters.keys or ()
    named = filters.keys_file
    if named is None:
        return
    digest = hashlib.sha256()
    yield from _read(Path(named.path), named.nul, digest.update)
    if digest.hexdigest() != named.sha256:
        raise UsageError(
            "the list of keys is no longer what it was when the operation began",
            subject=f"--files-from {named.path}",
            advice="put it back, or start a new operation",
        )


def _with_sidecars(keys: Iterator[str], sidecars: bool) -> Iterator[str]:
    for key in keys:
        if sidecars and is_sidecar(key):
            continue
        yield key
        if sidecars and may_have_sidecar(key):
            yield sidecar_of(key)


def _read(path: Path, nul: bool, seen: _Seen) -> Iterator[str]:
    subject = f"--files-from {path}"
    try:
        with path.open("rb") as file:
            yield from _keys(_blocks(file, seen), nul, subject)
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", subject=subject) from None


def _blocks(file: BinaryIO, seen: _Seen) -> Iterator[bytes]:
    while block := file.read(_BLOCK):
        seen(block)
        yield block


def _keys(blocks: Iterator[bytes], nul: bool, subject: str) -> Iterator[str]:
    """One key a line, blank lines left out; with `nul` one up to each NUL byte, as it is."""
    separator, number, begun = b"\0" if nul else b"\n", 0, b""
    for block in blocks:
        *lines, begun = (begun + block).split(separator)
        for line in lines:
            number += 1
            yield from _key(line, nul, f"{subject}, line {number}")
        if len(begun) > MAX_KEY_BYTES + 1:
            break
    yield from _key(begun, nul, f"{subject}, line {number + 1}")


def _key(line: bytes, nul: bool, subject: str) -> Iterator[str]:
    line = line if nul else line.removesuffix(b"\r")
    if len(line) > MAX_KEY_BYTES:
        raise UsageError(f"a key has at most {MAX_KEY_BYTES} bytes", subject=subject)
    try:
        if line:
            yield line.decode()
    except UnicodeDecodeError:
        raise UsageError("keys are UTF-8", subject=subject) from None
