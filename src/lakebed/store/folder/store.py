"""The contract over folders of this machine. A bucket is a folder, a key a path below it.

What a file cannot keep is not kept: headers, metadata, tags, storage class and encryption.
"""

import hashlib
import os
from collections.abc import Sequence

from lakebed.errors import (
    BodyTruncated,
    BucketMissing,
    ChecksumRefused,
    NotSupported,
    ObjectMissing,
    RequestRefused,
)
from lakebed.model.checksum import Algorithm, Checksum
from lakebed.model.location import LOCAL_STORE
from lakebed.model.objects import Attributes, Head, Part, Span, Upload, Write, Written
from lakebed.model.quantity import GIB, MAX_SIZE
from lakebed.store.cancellation import Cancellation
from lakebed.store.contract import (
    NO_ATTRIBUTES,
    PAGE_LIMIT,
    Body,
    Copying,
    Member,
    Page,
    Properties,
    Sink,
)
from lakebed.store.folder.draft import Draft, tidy
from lakebed.store.folder.failures import writing
from lakebed.store.folder.listing import Listings
from lakebed.store.folder.names import can_be, path_of
from lakebed.store.folder.opened import Opened
from lakebed.store.folder.uploads import FolderUpload


class FolderStore:
    """Folders of this machine. A bucket is an absolute path, or one below `base`."""

    def __init__(self, cancellation: Cancellation, identity: str, base: str = "/") -> None:
        self._cancellation, self._base = cancellation, base
        # One part is moved to its place, several are joined: a second way to the disk.
        self._properties = Properties(identity, max_put=MAX_SIZE, min_part=GIB, max_copy=MAX_SIZE)
        self._listings = Listings(cancellation)

    @property
    def name(self) -> str:
        return LOCAL_STORE

    @property
    def properties(self) -> Properties:
        return self._properties

    # --- reading ---------------------------------------------------------------------------------

    def list_page(
        self,
        bucket: str,
        prefix: str = "",
        *,
        after: str = "",
        token: str | None = None,
        delimiter: str = "",
        limit: int = PAGE_LIMIT,
    ) -> Page:
        """As the contract says. Links are followed; what is neither file nor folder is skipped.

        Raises ListingRefused where a name is no UTF-8, or a link leads nowhere or in a circle.
        """
        return self._listings.page((self._there(bucket), prefix, delimiter), after, token, limit)

    def head(self, bucket: str, key: str) -> Head:
        with self._opened(bucket, key) as opened:
            return opened.head

    def get(
        self,
        bucket: str,
        key: str,
        sink: Sink,
        *,
        span: Span | None = None,
        if_match: str | None = None,
    ) -> Head:
        with self._opened(bucket, key, if_match) as opened:
            for data in opened.chunks(span, self._cancellation):
                sink(data)
            return opened.head

    def tags(self, bucket: str, key: str) -> dict[str, str]:
        self.head(bucket, key)
        return {}

    # --- writing ---------------------------------------------------------------------------------

    def put(
        self,
        bucket: str,
        key: str,
        body: Body,
        *,
        attributes: Attributes = NO_ATTRIBUTES,
        sha256: str | None = None,
        write: Write = Write.ALWAYS,
    ) -> Written:
        subject = self._on(bucket, key)
        with self._draft(bucket, key) as draft:
            found = self._send(body, draft, subject, with_sha256=sha256 is not None)
            if sha256 is not None and found != sha256.lower():
                raise ChecksumRefused("the bytes are not those of the digest sent", subject=subject)
            return Written(draft.keep(write), sha256)

    def put_many(self, bucket: str, members: Sequence[Member]) -> None:
        raise NotSupported("files are written one by one", subject=bucket)

    def copy(
        self,
        source_bucket: str,
        source_key: str,
        bucket: str,
        key: str,
        *,
        if_match: str,
        attributes: Attributes | None = None,
    ) -> Written:
        with self._opened(source_bucket, source_key, if_match) as opened:
            span = Span(0, opened.head.size)
            with self._draft(bucket, key) as draft:
                draft.write_from(opened.fd, span, self._cancellation)
                opened.check()
                return Written(draft.keep())

    def copy_many(
        self, source_bucket: str, bucket: str, copies: Sequence[Copying]
    ) -> frozenset[str]:
        raise NotSupported("files are copied one by one", subject=bucket)

    def delete(self, bucket: str, key: str) -> None:
        """Remove the file, and the folders that held nothing else."""
        root = self._there(bucket)
        if not can_be(key):
            return
        subject = self._on(bucket, key)
        path = path_of(root, key, subject)
        with writing(subject):
            try:
                os.unlink(path)
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                return
        tidy(root, os.path.dirname(path))

    # --- multipart -------------------------------------------------------------------------------

    def create_upload(
        self,
        bucket: str,
        key: str,
        attributes: Attributes = NO_ATTRIBUTES,
        *,
        algorithm: Algorithm | None = None,
    ) -> str:
        subject, root = self._on(bucket, key), self._there(bucket)
        path_of(root, key, subject)
        return FolderUpload.begin(root, key, subject).id

    def upload_part(
        self,
        bucket: str,
        key: str,
        upload_id: str,
        number: int,
        body: Body,
        *,
        checksum: Checksum | None = None,
    ) -> Part:
        subject = self._on(bucket, key)
        with self._upload(bucket, key, upload_id).part(number) as draft:
            self._send(body, draft, subject)
            return Part(number, draft.keep(), body.size)

    def copy_part(
        self,
        source_bucket: str,
        source_key: str,
        bucket: str,
        key: str,
        upload_id: str,
        number: int,
        *,
        span: Span,
        if_match: str,
    ) -> Part:
        upload = self._upload(bucket, key, upload_id)
        with self._opened(source_bucket, source_key, if_match) as opened:
            opened.check_span(span)
            with upload.part(number) as draft:
                draft.write_from(opened.fd, span, self._cancellation)
                opened.check()
                return Part(number, draft.keep(), span.size)

    def complete_upload(
        self,
        bucket: str,
        key: str,
        upload_id: str,
        parts: Sequence[Part],
        *,
        checksum: Checksum | None = None,
    ) -> Written:
        upload = self._upload(bucket, key, upload_id)
        path = path_of(self._there(bucket), key, self._on(bucket, key))
        return Written(upload.complete(parts, path, self._cancellation))

    def abort_upload(self, bucket: str, key: str, upload_id: str) -> None:
        FolderUpload(self._there(bucket), key, upload_id, self._on(bucket, key)).remove()

    def list_parts(self, bucket: str, key: str, upload_id: str) -> list[Part]:
        return self._upload(bucket, key, upload_id).parts()

    def list_uploads(self, bucket: str, key: str) -> list[Upload]:
        return FolderUpload.under_way(self._there(bucket), key, self._on(bucket, key))

    # --- buckets ---------------------------------------------------------------------------------

    def buckets(self) -> list[str]:
        with writing(self._base), os.scandir(self._base) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir())

    def create_bucket(self, bucket: str) -> None:
        with writing(bucket):
            try:
                os.makedirs(self._root(bucket), exist_ok=True)
            except (FileExistsError, NotADirectoryError):
                what = "there is a file where the folder should be"
                raise RequestRefused(what, subject=bucket) from None

    def is_versioned(self, bucket: str) -> bool:
        self._there(bucket)
        return False

    def close(self) -> None:
        self._listings.close()

    # --- inside ----------------------------------------------------------------------------------

    def _on(self, bucket: str, key: str) -> str:
        return f"{LOCAL_STORE}:{bucket}/{key}"

    def _root(self, bucket: str) -> bytes:
        return os.fsencode(os.path.join(self._base, bucket)).rstrip(b"/") or b"/"

    def _there(self, bucket: str) -> bytes:
        """The bucket's folder. Raises BucketMissing."""
        root = self._root(bucket)
        if not os.path.isdir(root):
            advice = "make it, or mount it, or correct its name"
            raise BucketMissing("there is no such folder", subject=bucket, advice=advice)
        return root

    def _opened(self, bucket: str, key: str, if_match: str | None = None) -> Opened:
        root, subject = self._there(bucket), self._on(bucket, key)
        if not can_be(key):
            raise ObjectMissing("there is no such file", subject=subject)
        return Opened(path_of(root, key, subject), subject, if_match)

    def _draft(self, bucket: str, key: str) -> Draft:
        root, subject = self._there(bucket), self._on(bucket, key)
        return Draft(root, path_of(root, key, subject), subject)

    def _upload(self, bucket: str, key: str, upload_id: str) -> FolderUpload:
        return FolderUpload.find(self._there(bucket), key, upload_id, self._on(bucket, key))

    def _send(self, body: Body, draft: Draft, subject: str, *, with_sha256: bool = False) -> str:
        """The body into the draft; the SHA-256 of its bytes, where that is asked for."""
        digest, came = hashlib.sha256(), 0
        for data in body.chunks():
            self._cancellation.check()
            draft.write(data)
            came += len(data)
            if with_sha256:
                digest.update(data)
        if came != body.size:
            raise BodyTruncated(f"{came} bytes came, {body.size} were announced", subject=subject)
        return digest.hexdigest()
