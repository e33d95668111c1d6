"""A file that nobody sees before it is whole: written aside, made durable, then put in its place.

Where the system can, it has no name until then, so that even a kill leaves nothing of it behind.
"""

import errno
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Self, TypeVar

from lakebed.errors import BodyTruncated, PreconditionFailed
from lakebed.model.objects import Span, Write
from lakebed.store.cancellation import Cancellation
from lakebed.store.folder.failures import reading, writing
from lakebed.store.folder.names import OURS
from lakebed.store.folder.revision import revision

T = TypeVar("T")
_NAMELESS: int = getattr(os, "O_TMPFILE", 0) if os.path.isdir("/proc/self/fd") else 0
_CANNOT = (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOSYS)
"""What a file system answers that knows no files without a name (NFS, FUSE, old overlayfs)."""
_CANNOT_COPY = (errno.EXDEV, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EPERM)
_CHUNK = 1024**2
_STEP = 64 * 1024**2
"""Bytes that the system copies before we look at the cancellation again: well below a second."""
_MODE = 0o666
"""Less the umask, as of any other new file."""
_TRIES = 16
"""How often a folder is made anew that somebody tidied up between two of our calls."""


class Draft:
    """The coming content of `path`, below `root`; folders between them are made. A context: what
    is not kept is gone when it is left.

    Raises BucketMissing where `root` is not there, KeyUnsupported, DiskFull, AccessDenied.
    """

    def __init__(self, root: bytes, path: bytes, subject: str) -> None:
        self._root, self._path, self._folder = root, path, os.path.dirname(path)
        self._subject = subject
        self._name = b""
        """Where it is kept until then; empty while it has no name."""
        self._kept = False

    def __enter__(self) -> Self:
        with writing(self._subject):
            try:
                self._fd = in_folder(self._root, self._folder, self._open)
            except OSError:
                tidy(self._root, self._folder)
                raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError):  # it is durable by now, or not wanted
            os.close(self._fd)
        if self._name:
            with suppress(OSError):
                os.unlink(self._name)
        if not self._kept:
            tidy(self._root, self._folder)

    def write(self, data: bytes) -> None:
        rest = memoryview(data)
        with writing(self._subject):
            while rest:
                rest = rest[os.write(self._fd, rest) :]

    def write_from(self, source: int, span: Span, cancellation: Cancellation) -> None:
        """These bytes of an open file; without a copy where the file system can share them."""
        start = span.start
        while start < span.end:
            cancellation.check()
            passed = self._by_system(source, start, span.end - start)
            if not passed:
                with reading(self._subject):
                    data = os.pread(source, min(_CHUNK, span.end - start), start)
                if not data:
                    raise BodyTruncated("it ended before its size", subject=self._subject)
                self.write(data)
                passed = len(data)
            start += passed

    def _by_system(self, source: int, start: int, size: int) -> int:
        """How many bytes the system copied; 0 where it cannot."""
        if not hasattr(os, "copy_file_range"):
            return 0
        with writing(self._subject):
            try:
                return os.copy_file_range(source, self._fd, min(_STEP, size), offset_src=start)
            except OSError as error:
                if error.errno in _CANNOT_COPY:
                    return 0
                raise

    def keep(self, write: Write = Write.ALWAYS) -> str:
        """Put it in its place, durably; its revision there.

        Raises PreconditionFailed where it is to be absent, and is not.
        """
        with writing(self._subject):
            os.fsync(self._fd)
            kept = revision(os.fstat(self._fd))
            if write is Write.IF_ABSENT:
                self._link_if_absent()
            elif self._name:
                self._replace()
            else:
                self._link_or_replace()
            self._kept = True
            sync_folder(self._folder)
        return kept

    def _open(self) -> int:
        if _NAMELESS:
            try:
                return os.open(self._folder, _NAMELESS | os.O_RDWR | os.O_CLOEXEC, _MODE)
            except OSError as error:
                if error.errno not in _CANNOT:
                    raise
        name = self._temporary()
        fd = os.open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, _MODE)
        self._name = name
        return fd

    def _temporary(self) -> bytes:
        return os.path.join(self._folder, OURS + secrets.token_hex(8).encode())

    def _link_if_absent(self) -> None:
        try:
            self._link(self._path)
        except FileExistsError:
            raise PreconditionFailed("it exists already", subject=self._subject) from None

    def _link_or_replace(self) -> None:
        """What replaces another file needs a name first; what does not is put there at once."""
        try:
            self._link(self._path)
        except FileExistsError:
            name = self._temporary()
            self._link(name)
            self._name = name
            self._replace()

    def _replace(self) -> None:
        os.replace(self._name, self._path)
        self._name = b""

    def _link(self, path: bytes) -> None:
        if self._name:
            os.link(self._name, path)
            return
        # A file without a name holds no folder: somebody may have tidied ours up meanwhile.
        # With a folder named, Python asks the system to follow the link that /proc has.
        source = f"/proc/self/fd/{self._fd}".encode()
        link = partial(os.link, source, path, src_dir_fd=self._fd)
        in_folder(self._root, self._folder, link)


def in_folder(root: bytes, folder: bytes, action: Callable[[], T]) -> T:
    """Do what needs `folder` to be there, and make it below `root` where it is not."""
    for _ in range(_TRIES):
        try:
            return action()
        except FileNotFoundError:
            if folder == root:
                raise  # ours to write into, not to make
            with suppress(FileNotFoundError):
                in_folder(root, os.path.dirname(folder), lambda: _make(folder))
    return action()


def _make(folder: bytes) -> None:
    with suppress(FileExistsError):  # a file of that name is found out by who needs the folder
        os.mkdir(folder)
        sync_folder(os.path.dirname(folder))


def tidy(root: bytes, folder: bytes) -> None:
    """Remove what holds nothing any more, up to `root`: a store has no empty folders."""
    while folder != root:
        try:
            os.rmdir(folder)
        except FileNotFoundError:
            pass
        except OSError:
            return
        folder = os.path.dirname(folder)


def sync_folder(folder: bytes) -> None:
    """Make the names in it durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
