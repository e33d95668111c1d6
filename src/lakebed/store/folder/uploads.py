"""Multipart uploads: parts as files in a hidden folder of ours, joined when all are there.

An upload is the folder `.lakebed~/ID` below the root, with a file for each part, named by its
number, and `key`, which says whose parts they are. The last one that ends takes `.lakebed~` away.
"""

import errno
import os
import secrets
import shutil
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise

from lakebed.errors import ObjectMissing, RequestRefused
from lakebed.model.objects import Part, Span, Upload
from lakebed.store.cancellation import Cancellation
from lakebed.store.folder.draft import Draft, in_folder, sync_folder, tidy
from lakebed.store.folder.failures import reading, writing
from lakebed.store.folder.names import OURS
from lakebed.store.folder.opened import Opened
from lakebed.store.folder.revision import revision

_KEY = b"key"


class FolderUpload:
    """One upload into the folder `root`: begun, or found by its id."""

    def __init__(self, root: bytes, key: str, upload_id: str, subject: str) -> None:
        self._root, self._key, self._subject = root, key, subject
        self.id = upload_id
        self._folder = os.path.join(root, OURS, upload_id.encode())

    @classmethod
    def begin(cls, root: bytes, key: str, subject: str) -> "FolderUpload":
        upload = cls(root, key, secrets.token_hex(16), subject)
        with Draft(root, os.path.join(upload._folder, _KEY), subject) as draft:
            draft.write(key.encode())
            draft.keep()
        return upload

    @classmethod
    def find(cls, root: bytes, key: str, upload_id: str, subject: str) -> "FolderUpload":
        """Raises ObjectMissing where there is none, or it is of another key."""
        upload = cls(root, key, upload_id, subject)
        if not upload._is_there:
            raise ObjectMissing("there is no such upload", subject=subject)
        return upload

    @property
    def _is_there(self) -> bool:
        if not (self.id.isascii() and self.id.isalnum()):
            return False
        try:
            with open(os.path.join(self._folder, _KEY), "rb") as file:
                return file.read() == self._key.encode()
        except OSError:
            return False

    @classmethod
    def under_way(cls, root: bytes, key: str, subject: str) -> list[Upload]:
        """Those of one key, the one that was begun first ahead."""
        found = []
        with reading(subject), suppress(FileNotFoundError):
            for name in os.listdir(os.path.join(root, OURS)):
                upload = cls(root, key, os.fsdecode(name), subject)
                if upload._is_there:
                    began = os.stat(os.path.join(upload._folder, _KEY)).st_mtime
                    found.append(Upload(key, upload.id, datetime.fromtimestamp(began, UTC)))
        return sorted(found, key=lambda upload: upload.initiated)

    def parts(self) -> list[Part]:
        """What came so far, by number."""
        with reading(self._subject):
            names = sorted(name for name in os.listdir(self._folder) if name.isdigit())
            stats = [(int(name), os.stat(os.path.join(self._folder, name))) for name in names]
        return [Part(number, revision(stat), stat.st_size) for number, stat in stats]

    def part(self, number: int) -> Draft:
        """What becomes that part, once it is kept."""
        return Draft(self._folder, self._path(number), self._subject)

    def complete(self, parts: Sequence[Part], path: bytes, cancellation: Cancellation) -> str:
        """Make `path` of its parts, and end; its revision. The only one is moved, not copied.

        Raises RequestRefused where they are not what came.
        """
        self._check(parts)
        made = self._moved(parts[0], path) if len(parts) == 1 else None
        if made is None:
            with Draft(self._root, path, self._subject) as draft:
                for part in parts:
                    with Opened(self._path(part.number), self._subject, part.etag) as opened:
                        draft.write_from(opened.fd, Span(0, opened.head.size), cancellation)
                made = draft.keep()
        self.remove()
        return made

    def remove(self) -> None:
        """End it. One that is gone already is no error."""
        if self._is_there:
            with writing(self._subject):
                shutil.rmtree(self._folder)
            tidy(self._root, os.path.dirname(self._folder))

    def _check(self, parts: Sequence[Part]) -> None:
        numbers = [part.number for part in parts]
        if not parts or any(left >= right for left, right in pairwise(numbers)):
            raise RequestRefused("the parts are none or out of order", subject=self._subject)
        for part in parts:
            if self._revision(part.number) != part.etag:
                raise RequestRefused(f"part {part.number} is not what came", subject=self._subject)

    def _revision(self, number: int) -> str | None:
        try:
            with reading(self._subject):
                return revision(os.stat(self._path(number)))
        except ObjectMissing:
            return None

    def _moved(self, part: Part, path: bytes) -> str | None:
        """None where a link leads to another file system, so that it must be copied."""
        source, folder = self._path(part.number), os.path.dirname(path)
        with writing(self._subject):
            try:
                in_folder(self._root, folder, lambda: os.replace(source, path))
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                return None
            sync_folder(folder)
        return part.etag

    def _path(self, number: int) -> bytes:
        return os.path.join(self._folder, b"%05d" % number)
