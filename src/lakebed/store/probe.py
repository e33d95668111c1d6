"""Finds out what a bucket can do, on canary objects and by comparing bytes.

A status of 200 proves nothing: some stores accept a header or a call and do something else.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cached_property, partial

from lakebed import errors
from lakebed.errors import LakebedError
from lakebed.model.checksum import Algorithm, Checksum
from lakebed.model.objects import Attributes, Head, Part, Span, Write
from lakebed.store.canaries import take_away_abandoned
from lakebed.store.cancellation import Cancellation
from lakebed.store.capabilities import Capabilities, Capability
from lakebed.store.contract import Buffer, Member, Store

_BYTES = b"lakebed canary, safe to delete\n"
_OTHER = b"lakebed canary, another one...\n"
_SPAN = Span(8, len(_BYTES))
_TIDY = 3.0
"""Seconds for deleting the canaries when all is to stop."""
# A tree of folders lists the first of these two before the second, by bytes it comes after it.
_CANARY, _MADE = "a/canary", "a-made"
_ABSENT, _PACKED = "Z", "packed 'n' \u00f6dd=1"
_FOLDER, _ODD, _BACKSLASH = "folder/", "d//e/./x/../y", "back\\slash"
# The last two come the other way round where a store sorts by UTF-16.
_PLANTED = {_FOLDER: b"", _ODD: _BYTES, _BACKSLASH: _BYTES, "\uffee": b"", "😀": b""}


class Probe:
    """One probe of one bucket, below `prefix`, which must be a folder: less than 65 requests."""

    def __init__(
        self, store: Store, bucket: str, prefix: str, cancellation: Cancellation | None = None
    ) -> None:
        self._store, self._bucket = store, bucket
        self._cancellation = cancellation or Cancellation()
        self._roots = f"{prefix}.lakebed-probe-"
        self._root = f"{self._roots}{secrets.token_hex(8)}/"
        self._written: dict[str, None] = {}

    def run(self) -> Capabilities:
        """What was found. Raises only what makes the bucket unusable: unreachable, missing,
        credentials refused. A bucket that may not be written to gets the least, with a note."""
        try:
            self._put(_CANARY, _BYTES)
            try:
                found = self._capabilities()
                take_away_abandoned(self._store, self._bucket, self._roots)
                return found
            finally:
                self._clean()
        except errors.BucketMissing as missing:
            missing.subject = f"{self._store.name}:{self._bucket}"
            raise
        except _MAY_NOT as refused:
            return Capabilities(note=f"not probed, the least is assumed: {refused.what}")

    def _capabilities(self) -> Capabilities:
        canary, data = self._get(_CANARY)
        if data != _BYTES:
            return Capabilities(note="what was written is not what is read back")
        checks: dict[Capability, Callable[[], bool]] = {
            Capability.MD5_ETAGS: lambda: canary.etag == _md5(_BYTES),
            Capability.SHA256: self._sha256,
            Capability.IF_NONE_MATCH: self._if_none_match,
            Capability.MULTIPART: self._multipart,
            Capability.COPY: lambda: self._copy(canary.etag),
            Capability.UNPACK: self._unpack,
            Capability.PART_COPY: lambda: self._part_copy(canary.etag),
            Capability.CRC64NVME: lambda: self._checksum(Algorithm.CRC64NVME, _OTHER, _BYTES),
            Capability.CRC32C: lambda: self._checksum(Algorithm.CRC32C, _BYTES, _OTHER),
            Capability.TAGS: self._tags,
            Capability.ORDERED: self._ordered,
            Capability.FOLDER_KEYS: lambda: self._holds_key(_FOLDER),
            Capability.ODD_KEYS: lambda: self._holds_key(_ODD),
            Capability.BACKSLASH_KEYS: lambda: self._holds_key(_BACKSLASH),
            Capability.VERSIONING: lambda: self._store.is_versioned(self._bucket),
        }
        found = (name for name, check in checks.items() if _holds(check))
        return Capabilities(frozenset({Capability.WRITE, *found}))

    # Each check that writes `_MADE` expects other bytes than the one before it: what an earlier
    # check left there cannot pass for its own.

    def _sha256(self) -> bool:
        digest = hashlib.sha256(_BYTES).hexdigest()
        self._put(_MADE, _BYTES, sha256=digest)
        refused = _refuses(
            lambda: self._put(_MADE, _OTHER, sha256=digest),
            _OTHER_BYTES,
        )
        return refused and self._read(_MADE) == _BYTES

    def _if_none_match(self) -> bool:
        # Refused already where an answer was lost and it was asked again: what is read tells.
        with suppress(errors.PreconditionFailed):
            self._put(_ABSENT, _BYTES, write=Write.IF_ABSENT)
        refused = _refuses(
            lambda: self._put(_ABSENT, _OTHER, write=Write.IF_ABSENT), (errors.PreconditionFailed,)
        )
        return refused and self._read(_ABSENT) == _BYTES

    def _multipart(self) -> bool:
        key = self._key(_MADE)
        body = Buffer((_OTHER,))
        self._upload(lambda upload: self._store.upload_part(self._bucket, key, upload, 1, body))
        return self._read(_MADE) == _OTHER

    def _unpack(self) -> bool:
        kept = Attributes({"content-type": "text/x-canary"}, {"lakebed": "canary"})
        members = (
            Member(self._key(_MADE), (_OTHER,), kept),
            Member(self._key(_PACKED), (_BYTES,), kept),
        )
        self._store.put_many(self._bucket, members)
        (head, data), (other_head, other) = self._get(_MADE), self._get(_PACKED)
        same = kept.headers.items() <= head.attributes.headers.items()
        same &= head.attributes.metadata == other_head.attributes.metadata == kept.metadata
        return same and (data, other) == (_OTHER, _BYTES)

    def _copy(self, etag: str) -> bool:
        source, key = self._key(_CANARY), self._key(_MADE)
        self._store.copy(self._bucket, source, self._bucket, key, if_match=etag)
        return self._read(_MADE) == _BYTES

    def _part_copy(self, etag: str) -> bool:
        source, key = self._key(_CANARY), self._key(_MADE)
        self._upload(
            lambda upload: self._store.copy_part(
                self._bucket, source, self._bucket, key, upload, 1, span=_SPAN, if_match=etag
            )
        )
        return self._read(_MADE) == _BYTES[_SPAN.start : _SPAN.end]

    def _checksum(self, algorithm: Algorithm, data: bytes, others: bytes) -> bool:
        """Whether others bytes are refused, in a part and as a whole, and what it keeps."""
        key, body = self._key(_MADE), Buffer((data,))
        right, wrong = (Checksum.of(algorithm, one) for one in (data, others))
        with self._begun(key, algorithm) as upload:
            send = partial(self._store.upload_part, self._bucket, key, upload, 1, body)
            complete = partial(self._store.complete_upload, self._bucket, key, upload)
            if not _refuses(lambda: send(checksum=wrong), _OTHER_BYTES):
                return False
            part = send(checksum=right)
            if not _refuses(lambda: complete((part,), checksum=wrong), _OTHER_BYTES):
                return False
            with _once():
                complete((part,), checksum=right)
        return self._store.head(self._bucket, key).checksum == right and self._read(_MADE) == data

    def _tags(self) -> bool:
        tagged = Attributes(tags={"lakebed": "canary"})
        key = self._key(_MADE)
        self._store.put(self._bucket, key, Buffer((_OTHER,)), attributes=tagged)
        return self._store.tags(self._bucket, key) == tagged.tags

    def _ordered(self) -> bool:
        needed = {_CANARY, _MADE, "\uffee", "😀"}
        return self._listed == sorted(self._listed) and needed <= set(self._listed)

    def _holds_key(self, name: str) -> bool:
        return name in self._listed and self._read(name) == _PLANTED[name]

    @cached_property
    def _listed(self) -> list[str]:
        """Every name that was written, as the store lists them; none where it may not be listed."""
        for name, data in _PLANTED.items():
            with suppress(*_MAY_NOT, errors.StoreFault):
                self._put(name, data)
        try:
            page = self._store.list_page(self._bucket, self._root)
        except (*_MAY_NOT, errors.ListingRefused):
            return []
        return [found.key.removeprefix(self._root) for found in page.objects]

    # --- requests --------------------------------------------------------------------------------

    def _key(self, name: str) -> str:
        """The key of a name; it is deleted in the end."""
        key = self._root + name
        self._written[key] = None
        return key

    def _put(
        self, name: str, data: bytes, *, write: Write = Write.ALWAYS, sha256: str | None = None
    ) -> None:
        key = self._key(name)
        self._store.put(self._bucket, key, Buffer((data,)), write=write, sha256=sha256)

    def _get(self, name: str) -> tuple[Head, bytes]:
        pieces: list[bytes] = []
        head = self._store.get(self._bucket, self._root + name, pieces.append)
        return head, b"".join(pieces)

    def _read(self, name: str) -> bytes:
        return self._get(name)[1]

    def _upload(self, send: Callable[[str], Part]) -> None:
        """An upload of the one part that `send` sends."""
        key = self._key(_MADE)
        with self._begun(key) as upload:
            part = send(upload)
            with _once():
                self._store.complete_upload(self._bucket, key, upload, (part,))

    @contextmanager
    def _begun(self, key: str, algorithm: Algorithm | None = None) -> Iterator[str]:
        """An upload that does not outlive the scope."""
        upload = self._store.create_upload(self._bucket, key, algorithm=algorithm)
        try:
            yield upload
        finally:
            with self._cancellation.grace(_TIDY), suppress(LakebedError):
                self._store.abort_upload(self._bucket, key, upload)

    def _clean(self) -> None:
        """Also where all is to stop: nobody else knows these keys."""
        with self._cancellation.grace(_TIDY):
            for key in self._written:
                with suppress(LakebedError):
                    self._store.delete(self._bucket, key)


_OTHER_BYTES = (errors.ChecksumRefused, errors.RequestRefused)
"""How stores refuse bytes that are not those of a digest."""
_MAY_NOT = (
    errors.AccessDenied,
    errors.RequestRefused,
    errors.NotSupported,
    errors.KeyUnsupported,
)


def _holds(check: Callable[[], bool]) -> bool:
    """False where the store refuses; an outage is no answer and goes on up."""
    try:
        return check()
    except (errors.StoreUnreachable, errors.Throttled, errors.OperationError):
        raise
    except LakebedError:
        return False


def _once() -> AbstractContextManager[None]:
    """Around a completion: where its answer was lost and it was asked again, the upload is gone.
    What is read then tells what became of it."""
    return suppress(errors.ObjectMissing)


def _refuses(action: Callable[[], object], kinds: tuple[type[LakebedError], ...]) -> bool:
    try:
        action()
    except kinds:
        return True
    return False


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
