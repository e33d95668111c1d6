"""Finds out what a bucket can do, on canary objects and by comparing bytes.

A status of 200 proves nothing: some stores accept a header or a call and do something else.
"""

import hashlib
import secrets
from collections.abc import Callable
from contextlib import suppress

from lakebed import errors
from lakebed.errors import LakebedError
from lakebed.model.objects import Attributes, Span, Write
from lakebed.store.capabilities import Capabilities, Capability
from lakebed.store.contract import Buffer, Store

_BYTES = b"lakebed canary, safe to delete\n"
_OTHER = b"lakebed canary, another one...\n"
_ODD = ("d//e", "./x", "x/../y")
# Sorted by UTF-8 bytes; a store that sorts by UTF-16, by locale or by escaped names shows it here.
_ORDERED = tuple(
    f"o/{name}"
    for name in ("a", "a b", "a-", "a.zip", "aa", "b-", "b/c", "b0", "é", "币", "\uffee", "😀")
)


class Probe:
    """One probe of one bucket, below `prefix`, which must be a folder."""

    def __init__(self, store: Store, bucket: str, prefix: str) -> None:
        self._store, self._bucket = store, bucket
        self._root = f"{prefix}.lakebed-probe-{secrets.token_hex(8)}/"
        self._written: list[str] = []

    def run(self) -> Capabilities:
        """What was found. Raises only what makes the bucket unusable: unreachable, missing,
        credentials refused. A bucket that may not be written to gets the least, with a note."""
        try:
            self._put("canary", _BYTES)
        except (errors.AccessDenied, errors.RequestRefused, errors.NotSupported) as refused:
            return Capabilities(note=f"not probed, the least is assumed: {refused.what}")
        try:
            return self._capabilities()
        finally:
            self._clean()

    def _capabilities(self) -> Capabilities:
        if self._read("canary") != _BYTES:
            return Capabilities(note="what was written is not what is read back")
        checks: dict[Capability, Callable[[], bool]] = {
            Capability.MD5_ETAGS: self._md5_etags,
            Capability.SHA256: self._sha256,
            Capability.IF_NONE_MATCH: self._if_none_match,
            Capability.MULTIPART: self._multipart,
            Capability.COPY: self._copy,
            Capability.PART_COPY: self._part_copy,
            Capability.TAGS: self._tags,
            Capability.ORDERED: self._ordered,
            Capability.FOLDER_KEYS: lambda: self._holds_key("folder/", b""),
            Capability.ODD_KEYS: lambda: all(self._holds_key(key, _BYTES) for key in _ODD),
            Capability.VERSIONING: lambda: self._store.is_versioned(self._bucket),
        }
        found = (name for name, check in checks.items() if _holds(check))
        return Capabilities(frozenset({Capability.WRITE, *found}))

    def _put(self, name: str, data: bytes, *, write: Write = Write.ALWAYS, sha256: str = "") -> str:
        key = self._root + name
        self._written.append(key)
        body = Buffer((data,))
        return self._store.put(self._bucket, key, body, write=write, sha256=sha256 or None).etag

    def _read(self, name: str) -> bytes:
        pieces: list[bytes] = []
        self._store.get(self._bucket, self._root + name, pieces.append)
        return b"".join(pieces)

    def _md5_etags(self) -> bool:
        return self._store.head(self._bucket, self._root + "canary").etag == _md5(_BYTES)

    def _sha256(self) -> bool:
        wrong = hashlib.sha256(_OTHER).hexdigest()
        refused = _refuses(lambda: self._put("sha256", _BYTES, sha256=wrong), LakebedError)
        right = hashlib.sha256(_BYTES).hexdigest()
        self._put("sha256", _BYTES, sha256=right)
        return refused and self._read("sha256") == _BYTES

    def _if_none_match(self) -> bool:
        refused = _refuses(
            lambda: self._put("canary", _OTHER, write=Write.IF_ABSENT), errors.PreconditionFailed
        )
        return refused and self._read("canary") == _BYTES

    def _multipart(self) -> bool:
        key = self._root + "multipart"
        self._written.append(key)
        upload = self._store.create_upload(self._bucket, key)
        part = self._store.upload_part(self._bucket, key, upload, 1, Buffer((_BYTES,)))
        self._store.complete_upload(self._bucket, key, upload, (part,))
        return self._read("multipart") == _BYTES

    def _copy(self) -> bool:
        key = self._root + "copy"
        self._written.append(key)
        source = self._root + "canary"
        etag = self._store.head(self._bucket, source).etag
        self._store.copy(self._bucket, source, self._bucket, key, if_match=etag)
        return self._read("copy") == _BYTES

    def _part_copy(self) -> bool:
        key, source = self._root + "part-copy", self._root + "canary"
        self._written.append(key)
        etag = self._store.head(self._bucket, source).etag
        upload = self._store.create_upload(self._bucket, key)
        span = Span(0, len(_BYTES))
        part = self._store.copy_part(
            self._bucket, source, self._bucket, key, upload, 1, span=span, if_match=etag
        )
        self._store.complete_upload(self._bucket, key, upload, (part,))
        return self._read("part-copy") == _BYTES

    def _tags(self) -> bool:
        key = self._root + "tags"
        self._written.append(key)
        tagged = Attributes(tags={"lakebed": "canary"})
        self._store.put(self._bucket, key, Buffer((_BYTES,)), attributes=tagged)
        kept = self._store.tags(self._bucket, key) == {"lakebed": "canary"}
        return kept and self._read("tags") == _BYTES

    def _ordered(self) -> bool:
        for name in _ORDERED:
            self._put(name, b"")
        page = self._store.list_page(self._bucket, self._root + "o/")
        return [found.key for found in page.objects] == [self._root + name for name in _ORDERED]

    def _holds_key(self, name: str, data: bytes) -> bool:
        self._put(name, data)
        page = self._store.list_page(self._bucket, self._root + name)
        listed = any(found.key == self._root + name for found in page.objects)
        return listed and self._read(name) == data

    def _clean(self) -> None:
        for key in dict.fromkeys(self._written):
            with suppress(LakebedError):
                self._store.delete(self._bucket, key)


def _holds(check: Callable[[], bool]) -> bool:
    """False where the store refuses; an outage is no answer and goes on up."""
    try:
        return check()
    except LakebedError as refused:
        if isinstance(refused, (errors.StoreUnreachable, errors.OperationError)):
            raise
        return False


def _refuses(action: Callable[[], object], kind: type[LakebedError]) -> bool:
    try:
        action()
    except kind as refused:
        if isinstance(refused, (errors.StoreUnreachable, errors.OperationError)):
            raise
        return True
    return False


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
