"""What goes to stdout and stderr: lines, JSON lines, tables."""

import json
import os
import shutil
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import TextIO

from lakebed.report.text_report import printable

_lock = threading.Lock()
_failures: list[OSError] = []


def failed() -> OSError | None:
    """What kept us from writing to stdout since this was last asked, and not that its reader left.

    Told at the end only: an operation does not fail because its words cannot be kept.
    """
    first = _failures[0] if _failures else None
    _failures.clear()
    return first


def flush(stream: TextIO) -> None:
    """Write what is in the buffer, or note why it cannot be."""
    try:
        stream.flush()
    except OSError as error:
        if stream is sys.stdout and not isinstance(error, BrokenPipeError):
            _failures.append(error)
        silence(stream)


def say(line: str) -> bool:
    """A line on stdout; False where its reader has left (`| head`), so that a list may end."""
    return _write(sys.stdout, line)


def note(line: str) -> None:
    """A line on stderr."""
    _write(sys.stderr, line)


def _write(stream: TextIO, line: str) -> bool:
    with _lock:
        try:
            stream.write(line + "\n")
            stream.flush()
        except OSError as error:
            if stream is sys.stdout and not isinstance(error, BrokenPipeError):
                _failures.append(error)
            silence(stream)
            return False
    return True


def emit(event: Mapping[str, object]) -> bool:
    """A JSON object as one line on stdout; False where nobody reads any more."""
    return say(json.dumps(event, ensure_ascii=False))


def silence(stream: TextIO) -> None:
    """Let what is in the buffer, and all that follows, go nowhere: nobody reads it."""
    try:
        descriptor = stream.fileno()
    except OSError:
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def table(
    headings: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()
) -> None:
    """Columns as wide as what is in them; those in `right` are of numbers.

    On a terminal the last column is cut to what room is left, so that a row is a line.
    """
    cells = [[printable(cell) for cell in row] for row in [headings, *rows]]
    widths = [max(cells_width(row[i]) for row in cells) for i in range(len(headings))]
    for row in cells:
        padded = (_pad(c, w, i in right) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
        if not say(_cut("  ".join(padded).rstrip())):
            return


def _cut(line: str) -> str:
    """What a terminal shows of `line` without a second one."""
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    if not columns or cells_width(line) <= columns:
        return line
    while cells_width(line) >= columns:
        line = line[:-1]
    return f"{line}…"


def _pad(cell: str, width: int, right: bool) -> str:
    blanks = " " * (width - cells_width(cell))
    return blanks + cell if right else cell + blanks


def cells_width(text: str) -> int:
    """Cells of a terminal: a Chinese symbol takes two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
