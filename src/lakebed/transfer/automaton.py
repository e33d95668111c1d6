"""Matching a glob in a time that grows with the key alone, whatever the glob.

A regular expression tries one way after another, and a glob may have more ways than there is time.
Here all ways are followed at once, a character of the key at a time; what was worked out for one
key is remembered for the next.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import factorial, inf
from typing import Protocol

ANYTHING, STAR, OPEN, CLOSE, OR = ".*", "[^/]*", "(?:", ")", "|"
FOLDERS, FOLDERS_AFTER = "(?:.*/)?", ".*/"
MOST_KNOWN = 10_000
"""Steps that are remembered before all are forgotten."""
LONGEST_KEY = 1024
"""Characters: S3 allows no more."""
_HOPELESS = 20
"""Stars of which even a short key has too many ways."""
MOST_TRIES = 1 << 22
"""Ways that a regular expression may try for one key: some hundredths of a second."""

Test = Callable[[str], object]


class Pattern(Protocol):
    """What matches a whole key."""

    def fullmatch(self, key: str, /) -> object: ...


def matcher(parts: Sequence[str]) -> Pattern:
    """The regular expression of these parts, for keys that it cannot take long for; the automaton
    for all others. Raises re.error, RecursionError."""
    once = [_once(part, after) for part, after in zip(parts, [*parts[1:], ""], strict=True)]
    regex, longest = re.compile("".join(once), re.DOTALL), _longest(once)
    return regex if longest >= LONGEST_KEY else _Either(regex, Automaton(parts), longest)


def _once(part: str, after: str) -> str:
    """A star up to a slash, or to the end, has one way to match, and need not try another."""
    return STAR + "+" if part == STAR and after in ("/", "") else part


def _longest(parts: Sequence[str]) -> float:
    """The length up to which a key is within the tries: each star may end anywhere."""
    stars, ways = 0, [1]
    sums: list[int] = []
    for part in parts:
        if part == OPEN:
            ways.append(1)
            sums.append(0)
        elif part == OR:
            sums[-1] += ways[-1]
            ways[-1] = 1
        elif part == CLOSE:
            group = sums.pop() + ways.pop()
            ways[-1] *= group
        else:
            stars += part in (ANYTHING, STAR, FOLDERS, FOLDERS_AFTER)
    left = MOST_TRIES * factorial(stars) // ways[0]
    if not stars:
        return inf if left else 0
    return float(left) ** (1 / stars) if stars < _HOPELESS else 0


@dataclass(frozen=True, slots=True)
class _Either:
    regex: re.Pattern[str]
    automaton: "Automaton"
    longest: float
    """Characters of the longest key for the regular expression."""

    def fullmatch(self, key: str, /) -> object:
        short = len(key) <= self.longest
        return self.regex.fullmatch(key) if short else self.automaton.fullmatch(key)


@dataclass(eq=False, slots=True)
class _Spot:
    """A set of places in the glob that a key may have come to, and what follows from each
    character."""

    places: frozenset[int]
    is_end: bool
    after: "dict[str, _Spot]" = field(default_factory=dict)


class Automaton:
    """A glob, of the parts of its regular expression. Raises re.error where one is none."""

    def __init__(self, parts: Sequence[str]) -> None:
        self._takes: list[list[tuple[Test, int]]] = [[]]
        self._free: list[list[int]] = [[]]
        self._end = self._build(parts)
        self._spots: dict[frozenset[int], _Spot] = {}
        self._known = 0
        self._first = self._spot([0])

    def fullmatch(self, key: str, /) -> bool:
        spot = self._first
        for character in key:
            spot = spot.after.get(character) or self._step(spot, character)
            if not spot.places:
                return False
        return spot.is_end

    def _build(self, parts: Sequence[str]) -> int:
        here, groups = 0, list[tuple[int, list[int]]]()
        for part in parts:
            if part in (ANYTHING, STAR):
                here = self._loop(here, part[:-1])
            elif part in (FOLDERS, FOLDERS_AFTER):
                before, here = here, self._one(self._loop(here, "."), "/")
                if part == FOLDERS:
                    self._free[before].append(here)
            elif part == OPEN:
                groups.append((here, []))
            elif part == OR:
                groups[-1][1].append(here)
                here = groups[-1][0]
            elif part == CLOSE:
                ends = [*groups.pop()[1], here]
                here = self._place()
                for end in ends:
                    self._free[end].append(here)
            else:
                here = self._one(here, part)
        return here

    def _place(self) -> int:
        self._takes.append([])
        self._free.append([])
        return len(self._takes) - 1

    def _one(self, here: int, part: str) -> int:
        new = self._place()
        self._takes[here].append((re.compile(part, re.DOTALL).fullmatch, new))
        return new

    def _loop(self, here: int, part: str) -> int:
        new = self._place()
        self._free[here].append(new)
        self._takes[new].append((re.compile(part, re.DOTALL).fullmatch, new))
        return new

    def _step(self, spot: _Spot, character: str) -> _Spot:
        if self._known >= MOST_KNOWN:
            self._known, self._spots = 0, {}
            self._first = self._spot([0])
        takes = (take for place in spot.places for take in self._takes[place])
        found = self._spot([new for test, new in takes if test(character)])
        spot.after[character] = found
        self._known += 1
        return found

    def _spot(self, places: list[int]) -> _Spot:
        reached = set(places)
        while places:
            new = [free for free in self._free[places.pop()] if free not in reached]
            reached.update(new)
            places += new
        known = frozenset(reached)
        if known not in self._spots:
            self._spots[known] = _Spot(known, self._end in known)
        return self._spots[known]
