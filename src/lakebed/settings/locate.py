"""Where in a TOML text, of which the parser has taken the whole, a value is written."""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence

Place = tuple[str | int, ...]
"""Names of tables and numbers in lists, from the outside in."""

_TEXTS = r'"""(?:\\.|[^\\])*?"""+|\'\'\'.*?\'\'\'+|"(?:\\.|[^"\\])*"|\'[^\']*\'|#[^\n]*'
_TEXT = re.compile(_TEXTS, re.DOTALL)
"""A text or a comment: in it no sign has a meaning."""
_TOKEN = re.compile(rf"{_TEXTS}|[][{{}}\n]", re.DOTALL)
"""What decides where a statement ends."""


def line_of(text: str, path: Sequence[str | int]) -> int:
    """The line, from 1, that begins the value at `path`, or the last part of it that is there."""
    lines = lines_of(text)
    parts = (lines.get(tuple(path[:length])) for length in range(len(path), 0, -1))
    return next((line for line in parts if line), 1)


def lines_of(text: str) -> dict[Place, int]:
    """The line that begins each table, list and value. Linear in the text."""
    lines: dict[Place, int] = {}
    last: dict[Place, int] = {}  # of each array of tables, the number of its newest
    within: Place = ()
    for line, statement in _statements(text):
        table = tomllib.loads(statement)
        if statement.lstrip().startswith("["):
            within = _entered(table, last)
            table = {}
        for place in (within, *(within + place for place in _places(table))):
            for length in range(1, len(place) + 1):
                lines.setdefault(place[:length], line)
    return lines


def with_comments(text: str, hide: Callable[[str], str]) -> str:
    """`text` with each comment as `hide` gives it back."""
    return _TEXT.sub(lambda t: hide(t[0]) if t[0].startswith("#") else t[0], text)


def skeleton(text: str) -> str:
    """`text` without what is in its texts and comments; also of one that is no TOML, as far as it
    is."""
    return _TEXT.sub("", text)


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


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Each header, pair and bare line, with the line where it begins."""
    line, begin, depth = 1, 0, 0
    text += "\n"
    for token in _TOKEN.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if token[0] == "\n" and depth == 0:
            statement = text[begin : token.end()]
            yield line, statement
            line, begin = line + statement.count("\n"), token.end()


def _entered(header: Mapping[str, object], last: dict[Place, int]) -> Place:
    """The table that a header begins."""
    names: list[str] = []
    value: object = header
    while isinstance(value, dict) and value:
        ((name, value),) = value.items()
        names.append(name)
    place: Place = ()
    for depth, name in enumerate(names, 1):
        place += (name,)
        if depth == len(names) and isinstance(value, list):
            last[place] = last.get(place, -1) + 1
        if place in last:
            place += (last[place],)
    return place


def _places(value: object) -> Iterator[Place]:
    items: Iterator[tuple[str | int, object]] = iter(())
    if isinstance(value, dict):
        items = iter(value.items())
    elif isinstance(value, list):
        items = iter(enumerate(value))
    for part, inner in items:
        yield (part,)
        yield from ((part, *rest) for rest in _places(inner))
