"""Which objects of the source an operation acts on: patterns, sizes, ages, a list of keys.

The glob grammar, on the key relative to the location, which is opaque text:

    *        any characters but /          [abc] [a-z] [!abc]   one character of (not of) a set
    **       any characters                {a,b}                either; may be nested
    **/      any folders, or none          \\x                   the character x itself
    ?        one character but /

A pattern without `/` is matched with the last part of the key (what follows its last `/`), any
other with the whole of it. Of the patterns that match, the last one decides. A key that none
matches is left out where the first pattern is an include, and taken otherwise.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from lakebed.errors import UsageError
from lakebed.model.operation import Filters
from lakebed.transfer.automaton import (
    ANYTHING,
    CLOSE,
    FOLDERS,
    FOLDERS_AFTER,
    OPEN,
    OR,
    STAR,
    Pattern,
    matcher,
)

_SPECIAL = frozenset("*?[]{},\\")


@dataclass(frozen=True, slots=True)
class Selector:
    """Filters, compiled. A pair is selected as a whole: ask for its archive, by the archive's key,
    size and time; for a sidecar whose archive is missing, ask with the archive's key."""

    filters: Filters
    rules: tuple[tuple[bool, bool, Pattern], ...]
    """(include?, on the whole key?, pattern), the one that was given last first."""
    keys: frozenset[str] | None

    @classmethod
    def of(cls, filters: Filters) -> "Selector":
        """Compile; raise UsageError for a pattern that is not in the grammar."""
        rules = [(take, "/" in glob, pattern(glob)) for take, glob in filters.patterns]
        keys = None if filters.keys is None else frozenset(filters.keys)
        return cls(filters, tuple(reversed(rules)), keys)

    def selects(self, relative_key: str, size: int, modified: datetime) -> bool:
        """Sizes in bytes, both bounds included; `newer` takes its moment, `older` does not."""
        wanted = self.filters
        return (
            (self.keys is None or relative_key in self.keys)
            and (wanted.min_size is None or size >= wanted.min_size)
            and (wanted.max_size is None or size <= wanted.max_size)
            and (wanted.newer is None or modified >= wanted.newer)
            and (wanted.older is None or modified < wanted.older)
            and self._named(relative_key)
        )

    def _named(self, key: str) -> bool:
        last_part = key.rpartition("/")[2]
        for take, whole, glob in self.rules:
            if glob.fullmatch(key if whole else last_part):
                return take
        return not (self.rules and self.rules[-1][0])


def escape(key: str) -> str:
    """The pattern that means `key` literally."""
    return "".join(f"\\{character}" if character in _SPECIAL else character for character in key)


def pattern(glob: str) -> Pattern:
    """What matches a glob; raise UsageError where it is none."""
    # wcmatch is not used: it gives `.`, `..`, `//` and a final `/` the meaning they have in paths.
    if not glob:
        raise _bad(glob, "a pattern is not empty")
    try:
        return matcher(list(translated(glob)))
    except re.error as error:
        raise _bad(glob, f"not a pattern: {error.msg}") from None
    except RecursionError:
        raise _bad(glob, "braces are nested too deep") from None


_TOKEN = re.compile(
    r"\\(?P<escaped>.)|(?P<folders>\*{2,}/)|(?P<anything>\*{2,})|(?P<star>\*)|(?P<one>\?)"
    r"|\[(?P<negated>[!^]?)(?P<set>(?:\\.|[^\\\]])+)\]"
    r"|(?P<open>\{)|(?P<comma>,)|(?P<close>\})|(?P<wrong>[\\\[])|(?P<slash>/)|(?P<text>.)",
    re.DOTALL,
)
_FIXED = {"anything": ANYTHING, "star": STAR, "one": "[^/]", "open": OPEN, "close": CLOSE}
_PART_BEGINS_AFTER = ("", "slash", "folders", "open", "comma")


def translated(glob: str) -> Iterator[str]:
    """The parts of its regular expression. Raises UsageError where it is no glob."""
    depth, before = 0, ""
    for token in _TOKEN.finditer(glob):
        kind = token.lastgroup or ""
        depth += (kind == "open") - (kind == "close")
        if kind == "wrong" or depth < 0:
            raise _bad(glob, f"{token[0]!r} at {token.start() + 1} has no other half")
        if kind in _FIXED:
            yield _FIXED[kind]
        elif kind == "folders":
            yield FOLDERS if before in _PART_BEGINS_AFTER else FOLDERS_AFTER
        elif kind == "comma" and depth:
            yield OR
        elif kind == "set":
            yield _one_of(token["set"], negated=bool(token["negated"]))
        else:
            yield re.escape(token["escaped"] or token[0])
        before = kind if depth or kind != "comma" else "text"
    if depth:
        raise _bad(glob, "a '{' is not closed")


def _one_of(members: str, *, negated: bool) -> str:
    units = re.findall(r"\\.|.", members, re.DOTALL)
    inner = (0, len(units) - 1)
    parts = [
        "-" if unit == "-" and place not in inner else re.escape(unit[-1])
        for place, unit in enumerate(units)
    ]
    return f"(?!/)[{'^' if negated else ''}{''.join(parts)}]"


_SHOWN = 100


def _bad(glob: str, what: str) -> UsageError:
    shown = glob if len(glob) <= _SHOWN else f"{glob[:_SHOWN]}…"
    return UsageError(
        what, subject=f"pattern {shown!r}", advice="write \\ before a character meant"
    )
