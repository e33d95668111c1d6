"""Whether a log is whole: what was changed, removed, put in or moved, and a tail that was cut."""

from collections.abc import Iterable
from dataclasses import dataclass

from lakebed.audit.entry import BEFORE_ALL, Entry, follows
from lakebed.audit.heads import Head


@dataclass(frozen=True, slots=True)
class Verdict:
    """`entries` were found whole, `heads` were compared; `wrong` says what is not, and where."""

    entries: int
    heads: int
    last: Entry | None = None
    wrong: str = ""
    number: int = 0
    """The first that is wrong; 0 where all is well."""


def verify(key: bytes, log: Iterable[Entry], heads: Iterable[Head] = ()) -> Verdict:
    """Read a log from its first entry to its last, and compare it with heads of it."""
    known: dict[int, set[str]] = {}
    for head in heads:
        known.setdefault(head.number, set()).add(head.mac)
    count, last, before = 0, None, BEFORE_ALL
    for entry in log:
        wrong = _wrong(key, before, entry, count + 1, known.get(count + 1, set()))
        if wrong:
            return Verdict(count, len(known), last, wrong, count + 1)
        count, last, before = entry.number, entry, entry.mac
    if known and max(known) > count:
        return Verdict(count, len(known), last, "the tail is cut: it is missing", count + 1)
    return Verdict(count, len(known), last)


def _wrong(key: bytes, before: bytes, entry: Entry, expected: int, heads: set[str]) -> str:
    if entry.number < expected:
        return f"there is an entry {entry.number} that was put in"
    if entry.number > expected:
        return "it is missing"
    if not follows(key, before, entry):
        return "it was changed, moved or put in"
    if heads - {entry.mac.hex()}:
        return "it is not the entry that was exported"
    return ""
