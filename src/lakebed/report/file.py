"""Putting a report in place: as a whole or not at all."""

import errno
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from lakebed.errors import UsageError


def check(path: Path) -> None:
    """Raise UsageError where a report could not be written to `path` now; nothing is left."""
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if _is_device(path):
            path.open("a").close()
            return
        # A file is made, for permissions do not tell all: the disk may be read-only or full.
        draft = _draft_of(path)
        draft.open("x").close()
        draft.unlink()
    except OSError as error:
        raise _unwritable(path, error, "nothing was done: choose another file") from None


def write(path: Path, lines: Iterable[str], operation_id: str) -> None:
    """Raises UsageError where the path cannot be written."""
    text = (f"{line}\n" for line in lines)
    try:
        if _is_device(path):
            _fill(path, "w", text)
            return
        draft = _draft_of(path)
        try:
            _fill(draft, "x", text)
            draft.replace(path.resolve())
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        advice = f"the operation is kept: lakebed report {operation_id}"
        raise _unwritable(path, error, advice) from None


def _is_device(path: Path) -> bool:
    """Whether it is one, or a pipe: nothing that another file may take the place of."""
    return path.exists() and not path.is_file()


def _draft_of(path: Path) -> Path:
    """A file beside the one that is meant, where `path` is a link: links stay links."""
    target = path.resolve()
    return target.with_name(f".{target.name}.{secrets.token_hex(4)}")


def _fill(path: Path, mode: str, text: Iterable[str]) -> None:
    with path.open(mode, encoding="utf-8") as file:
        file.writelines(text)


def _unwritable(path: Path, error: OSError, advice: str) -> UsageError:
    what = f"the report cannot be written: {error.strerror}"
    return UsageError(what, subject=str(path), advice=advice)
