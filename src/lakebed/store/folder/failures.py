"""What the system's errors mean, as errors of ours."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from lakebed.errors import (
    AccessDenied,
    BucketMissing,
    DiskFull,
    KeyUnsupported,
    LakebedError,
    ListingRefused,
    ObjectMissing,
    ObjectTooLarge,
    StoreFault,
)

_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ENXIO)
_NO_SUCH_NAME = (
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EEXIST,
    errno.ENOTEMPTY,
    errno.ENAMETOOLONG,
    errno.EINVAL,
    errno.EILSEQ,
)
_MAY_NOT = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextmanager
def reading(subject: str) -> Iterator[None]:
    """Calls of the system inside only read; no bytes are handed to anybody inside."""
    try:
        yield
    except OSError as error:
        if error.errno in _NOT_THERE:
            raise ObjectMissing("there is no such file", subject=subject) from None
        if error.errno == errno.ELOOP:
            what = "a symbolic link leads back to itself"
            raise ListingRefused(what, subject=subject, advice="remove the link") from None
        raise _meaning(error, subject) from None


@contextmanager
def writing(subject: str) -> Iterator[None]:
    """Calls of the system inside may write; no bytes are asked of anybody inside."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOENT:
            raise BucketMissing("the folder is no longer there", subject=subject) from None
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            advice = "free some space, then resume"
            raise DiskFull("no room is left for it", subject=subject, advice=advice) from None
        if error.errno == errno.EFBIG:
            what = "it is larger than a file may be there"
            raise ObjectTooLarge(what, subject=subject) from None
        if error.errno in _NO_SUCH_NAME:
            raise KeyUnsupported(
                f"no file can have this name there: {os.strerror(error.errno)}",
                subject=subject,
                advice="a folder cannot hold a as a file and a/b too",
            ) from None
        raise _meaning(error, subject) from None


def _meaning(error: OSError, subject: str) -> LakebedError:
    what = os.strerror(error.errno) if error.errno else str(error)
    if error.errno in _MAY_NOT:
        return AccessDenied(what, subject=subject, advice="see the permissions of the folder")
    return StoreFault(what, subject=subject)
