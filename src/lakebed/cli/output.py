"""What goes to stdout and stderr: lines, JSON lines, tables."""

import json
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import TextIO

from lakebed.report.text_report import printable

_lock = threading.Lock()


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
        except BrokenPipeError:
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
    """Columns as wide as what is in them; those in `right` are of numbers."""
    cells = [[printable(cell) for cell in row] for row in [headings, *rows]]
    widths = [max(cells_width(row[i]) for row in cells) for i in range(len(headings))]
    for row in cells:
        padded = (_pad(c, w, i in right) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
        if not say("  ".join(padded).rstrip()):
            return


def _pad(cell: str, width: int, right: bool) -> str:
    blanks = " " * (width - cells_width(cell))
    return blanks + cell if right else cell + blanks


def cells_width(text: str) -> int:
    """Cells of a terminal: a Chinese symbol takes two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
