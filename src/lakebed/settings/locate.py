"""Where in a TOML text a value is written."""

import tomllib
from collections.abc import Sequence


def line_of(text: str, path: Sequence[str | int]) -> int:
    """The line, from 1, that begins the value at `path`, or of the last part of it that is there.

    The parser itself is asked: the value begins where the text up to some line first holds it.
    Quadratic in lines, and only ever done once, for an error.
    """
    lines = text.splitlines(keepends=True)
    for length in range(len(path), 0, -1):
        complete = 0
        for count in range(1, len(lines) + 1):
            try:
                table = tomllib.loads("".join(lines[:count]))
            except tomllib.TOMLDecodeError:
                continue  # inside a value of several lines
            if holds(table, path[:length]):
                return complete + 1
            complete = count
    return 1


def holds(value: object, path: Sequence[str | int]) -> bool:
    """Whether tables and lists lead along `path`."""
    for part in path:
        match value, part:
            case dict(), str() if part in value:
                value = value[part]
            case list(), int() if part < len(value):
                value = value[part]
            case _:
                return False
    return True
