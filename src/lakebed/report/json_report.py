"""The report of an operation in JSON."""

import errno
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

from lakebed.errors import UsageError
from lakebed.model.operation import ObjectState, Summary

JsonValue = str | int | float | None | Mapping[str, int]


class Row(Protocol):
    """An object that failed or is in quarantine."""

    @property
    def key(self) -> str: ...
    @property
    def state(self) -> ObjectState: ...
    @property
    def error(self) -> str | None: ...
    @property
    def message(self) -> str | None: ...


def summary_event(summary: Summary) -> dict[str, JsonValue]:
    """The last event of `--json`, which is also the head of a report."""
    return {"event": "summary", **asdict(summary)}


def row_event(row: Row) -> dict[str, JsonValue]:
    return {"key": row.key, "state": row.state, "error": row.error, "message": row.message}


def pieces(summary: Summary, rows: Iterable[Row]) -> Iterator[str]:
    """The report as text, a row at a time: it is written in any length within little memory."""
    head = asdict(summary)
    yield "{\n"
    for name, value in head.items():
        yield f"  {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)},\n"
    yield '  "objects": ['
    separator = "\n"
    for row in rows:
        yield f"{separator}    {json.dumps(row_event(row), ensure_ascii=False)}"
        separator = ",\n"
    yield "\n  ]\n}\n"


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
        raise _unwritable(path, error, "nothing was done: choose another --report") from None


def write(path: Path, summary: Summary, rows: Iterable[Row]) -> None:
    """Put the report in place as a whole. Raises UsageError where the path cannot be written."""
    try:
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.writelines(pieces(summary, rows))
            os.chmod(draft, 0o644)
            os.replace(draft, path)
        except BaseException:
            os.unlink(draft)
            raise
    except OSError as error:
        advice = f"the operation is kept: lakebed operations {summary.operation_id}"
        raise _unwritable(path, error, advice) from None


def _unwritable(path: Path, error: OSError, advice: str) -> UsageError:
    what = f"the report cannot be written: {error.strerror}"
    return UsageError(what, subject=str(path), advice=advice)
