"""The objects of a page whose entries all have one shape, read column by column.

Stores write each `<Contents>` of a page alike: the same elements in the same order. Then one
`split` and a few strided slices read a page of 1,000 keys in a quarter of the time that a parser
of XML takes (docs/adr/0013). What differs anywhere from its first entry is left to the parser.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat

_FIRST, _END = b"<Contents>", b"</Contents>"
_UNUSUAL = b"&!?]"
"""Characters of references, comments, sections and instructions, which are not what they look
like. In a key they are rare, and cost a parser's time only."""
_PRINTABLE = bytes(range(0x20, 0x7F))


@dataclass(frozen=True, slots=True)
class Columns:
    """The texts of each element of the entries but the first, by its name, entry by entry."""

    rest: bytes
    """The page without these entries: a whole document, whose only entry is the first one."""
    texts: dict[str, Sequence[str]]


def columns(content: bytes) -> Columns | None:
    """None where the entries are not plainly of one shape, or there are less than two."""
    first = content.find(_FIRST)
    start = content.find(_END, first) + len(_END)
    end = content.rfind(_END) + len(_END)
    if first < 0 or not first < start < end or not content.isascii():
        return None
    # Quotes around an ETag are the one reference that every store writes.
    entries = content[first:end].replace(b"&quot;", b'"').replace(b"&#34;", b'"')
    if entries.translate(None, _PRINTABLE) or any(mark in entries for mark in _UNUSUAL):
        return None
    pieces = entries.decode("ascii").split("<")
    texts = _texts(pieces[1 : content.count(b"<", first, start) + 1], pieces)
    return None if texts is None else Columns(content[:start] + content[end:], texts)


def _texts(shape: list[str], pieces: list[str]) -> dict[str, Sequence[str]] | None:
    """`pieces` are what follows each `<`, a tag and its text; `shape` those of the first entry."""
    count, more = divmod(len(pieces) - 1 - len(shape), len(shape))
    if more or not count:
        return None
    texts: dict[str, Sequence[str]] = {}
    for place, piece in enumerate(shape, 1):
        column = pieces[place + len(shape) :: len(shape)]
        name, _, text = piece.partition(">")
        closes = shape[place] if place < len(shape) else ""
        if closes == f"/{name}>":
            names, ends, texts[name] = zip(*map(str.partition, column, repeat(">")), strict=True)
            if names.count(name) != count or ends.count(">") != count:
                return None
        elif text or column.count(piece) != count:
            return None
    return texts
