"""An S3 Inventory in place of the source's listing, whatever the order of its rows.

It may be old: an object that is another revision by now is one that changed after it was listed.
"""

import csv
import gzip
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BufferedReader
from itertools import count, islice
from operator import itemgetter
from pathlib import Path
from urllib.parse import unquote_plus

from lakebed.errors import UsageError
from lakebed.model.location import MAX_KEY_BYTES, Location
from lakebed.model.objects import Object
from lakebed.model.operation import InventoryFile, Options
from lakebed.model.quantity import MAX_SIZE
from lakebed.store.cancellation import Cancellation
from lakebed.store.contract import PAGE_LIMIT
from lakebed.store.listing import in_key_order
from lakebed.transfer.manifest import (
    NEEDED,
    Csv,
    Manifest,
    digest_of,
    manifest_of,
    subject,
    unreadable,
)

_MAX_LINE = 64 * 1024
"""Bytes of a row: a key in URL encoding has 3 KiB at the most, and the other fields are short."""
_ENCODED = re.compile("(?:[!-$&-~]|%[0-9a-fA-F]{2})+")
"""A key as S3 writes it: printable ASCII, a space as `+`."""
_ETAG = re.compile("[!-~]+")
_MAX_DIGITS = len(str(MAX_SIZE))
_TRUTH = {"true": True, "false": False}


def check_inventory(source: Location, options: Options) -> None:
    """Raise UsageError where an inventory makes no sense with the source or with other options."""
    if options.inventory is None:
        return
    if options.delete:
        raise UsageError(
            "--delete with --inventory would delete what is newer than the inventory",
            advice="leave one of them out",
        )
    if options.filters.keys is not None or options.filters.keys_file is not None:
        raise UsageError(
            "--files-from looks its keys up, --inventory lists them",
            advice="leave one of them out",
        )
    if not source.is_folder:
        raise UsageError(
            "an inventory lists no single key",
            subject=str(source),
            advice="a folder's location ends in /",
        )
    bucket = manifest_of(options.inventory).bucket
    if bucket not in (None, source.bucket):
        raise UsageError(
            f"it is of the bucket {bucket!r}, the source is {source.bucket!r}",
            subject=subject(Path(options.inventory.path)),
        )


def inventoried(
    inventory: InventoryFile, source: Location, after: str, cancellation: Cancellation
) -> Iterator[Sequence[Object]]:
    """The objects of a folder that come after the relative key `after`, in key order, in pages.

    All rows are read before the first page. Raises UsageError where a file is not what it was or
    should be, where a row is no object of the source's bucket (naming file and line), where two
    rows have one key; DiskFull where they find no room to be sorted.
    """
    start = source.path + after if after else ""
    found = _objects(manifest_of(inventory), source, cancellation)
    ordered = in_key_order(found, start, subject(Path(inventory.path)), UsageError)
    return iter(lambda: tuple(islice(ordered, PAGE_LIMIT)), ())


def _objects(manifest: Manifest, source: Location, cancellation: Cancellation) -> Iterator[Object]:
    rows = _Rows(manifest, source)
    for file in manifest.files:
        with _opened(file) as opened:
            read = csv.reader(_lines(opened, file.path), strict=True)
            for number in count(1):
                if number % PAGE_LIMIT == 0:
                    cancellation.check()
                try:
                    row = next(read, None)
                    if row is None:
                        break
                    if read.line_num != number:
                        raise ValueError("it does not end with its line")
                    found = rows.object(row)
                except (csv.Error, ValueError) as error:
                    where = f"{subject(file.path)}, line {number}"
                    raise UsageError(f"no row of an inventory: {error}", subject=where) from None
                if found is not None:
                    yield found


@contextmanager
def _opened(file: Csv) -> Iterator[BufferedReader]:
    try:
        opened = file.path.open("rb")
    except OSError as error:
        raise unreadable(file.path, error) from None
    with opened:
        if digest_of(opened, file.algorithm) != file.digest:
            what, advice = file.otherwise
            raise UsageError(what, subject=subject(file.path), advice=advice)
        opened.seek(0)
        yield opened


def _lines(file: BufferedReader, path: Path) -> Iterator[str]:
    packed = path.name.lower().endswith(".gz")
    try:
        if packed and not file.peek(1):
            raise EOFError  # it would count as a sound one that holds nothing
        unpacked = gzip.GzipFile(fileobj=file) if packed else file
        while line := unpacked.readline(_MAX_LINE + 1):
            if len(line) > _MAX_LINE:
                raise ValueError(f"it has more than {_MAX_LINE} bytes")
            yield line.decode("ascii")
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise UsageError(
            "it is cut short or damaged", subject=subject(path), advice="fetch it again"
        ) from None
    except OSError as error:
        raise unreadable(path, error) from None


class _Rows:
    """Reads rows of one inventory. Those of other versions and outside of the source are none."""

    def __init__(self, manifest: Manifest, source: Location) -> None:
        columns = manifest.columns
        self._source = source
        self._fields = itemgetter(*map(columns.index, NEEDED))
        self._latest = columns.index("IsLatest") if "IsLatest" in columns else None
        self._marker = columns.index("IsDeleteMarker") if "IsDeleteMarker" in columns else None
        self._fewest = len(columns)
        self._width = len(columns) if manifest.exact else None

    def object(self, row: list[str]) -> Object | None:
        """Raises ValueError where it is no row."""
        width = self._width = self._width or max(self._fewest, len(row))
        if len(row) != width:
            raise ValueError(f"it has {len(row)} columns, not {width}")
        bucket, key, size, modified, etag = self._fields(row)
        if bucket != self._source.bucket:
            raise ValueError(f"it is of the bucket {bucket[:80]!r}")
        if not self._is_current(row):
            return None
        key = _key(key)
        if not key.startswith(self._source.path):
            return None
        return Object(key, _size(size), _etag(etag), _moment(modified))

    def _is_current(self, row: list[str]) -> bool:
        latest = self._latest is None or _truth(row[self._latest])
        return latest and not (self._marker is not None and _truth(row[self._marker]))


def _key(text: str) -> str:
    if not _ENCODED.fullmatch(text):
        raise ValueError(f"the key {text[:80]!r} is not URL-encoded")
    try:
        key = unquote_plus(text, errors="strict") if "%" in text or "+" in text else text
    except UnicodeDecodeError:
        raise ValueError(f"the key {text[:80]!r} is not UTF-8") from None
    if len(key.encode()) > MAX_KEY_BYTES:
        raise ValueError(f"a key has at most {MAX_KEY_BYTES} bytes")
    return key


def _size(text: str) -> int:
    size = int(text) if text.isdecimal() and len(text) <= _MAX_DIGITS else MAX_SIZE + 1
    if size > MAX_SIZE:
        raise ValueError(f"the size {text[:40]!r}")
    return size


def _etag(text: str) -> str:
    etag = text.strip('"')
    if not _ETAG.fullmatch(etag):
        raise ValueError(f"the ETag {text[:40]!r}")
    return etag


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"the time {text[:40]!r}") from None


def _truth(text: str) -> bool:
    if text not in _TRUTH:
        raise ValueError(f"{text[:40]!r} is neither true nor false")
    return _TRUTH[text]
