"""Which revision of a file this is: told from its time, size and inode, without reading it."""

import os
from datetime import UTC, datetime

from lakebed.model.objects import Head

_FAR_AWAY = datetime.max.replace(tzinfo=UTC)


def revision(found: os.stat_result) -> str:
    """The ETag of a file. It has no form of an MD5, so nobody compares it with one."""
    return f"{found.st_mtime_ns:x}-{found.st_size:x}-{found.st_ino:x}"


def modified(found: os.stat_result) -> datetime:
    try:
        return datetime.fromtimestamp(found.st_mtime, UTC)
    except (OverflowError, ValueError, OSError):
        return _FAR_AWAY  # a file system may hold times that no calendar has


def head_of(found: os.stat_result) -> Head:
    return Head(found.st_size, revision(found), modified(found))
