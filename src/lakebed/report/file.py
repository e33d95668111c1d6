"""Putting a report in place: as a whole or not at all."""

import errno
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from lakebed.errors import UsageError


def check(path: Path) -> None:
    """Raise UsageError where a report could not be written to `path` now; nothing is left."""
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        # A file is made, for permissions do not tell all: the disk may be read-only or full.
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.close(descriptor)
        os.unlink(draft)
    except OSError as error:
        raise _unwritable(path, error, "nothing was done: choose another file") from None


def write(path: Path, lines: Iterable[str], operation_id: str) -> None:
    """Raises UsageError where the path cannot be written."""
    try:
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in lines)
            os.chmod(draft, 0o644)
            os.replace(draft, path)
        except BaseException:
            os.unlink(draft)
            raise
    except OSError as error:
        advice = f"the operation is kept: lakebed report {operation_id}"
        raise _unwritable(path, error, advice) from None


def _unwritable(path: Path, error: OSError, advice: str) -> UsageError:
    what = f"the report cannot be written: {error.strerror}"
    return UsageError(what, subject=str(path), advice=advice)
