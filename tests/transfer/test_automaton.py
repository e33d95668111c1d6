"""Patterns that would take a regular expression for ever, and all others, match alike."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakebed.errors import UsageError
from lakebed.transfer import automaton
from lakebed.transfer.automaton import LONGEST_KEY, Automaton
from lakebed.transfer.filters import pattern, translated

PIECES = st.sampled_from(["a", "b", "/", "*", "**", "**/", "?", "[ab]", "[!a]", "\\*", ","])
GLOBS = st.recursive(
    st.lists(PIECES, max_size=5).map("".join),
    lambda inner: st.lists(inner, min_size=1, max_size=3).map(lambda some: f"{{{','.join(some)}}}"),
    max_leaves=6,
)
KEYS = st.text(st.sampled_from("ab/*,"), max_size=12)
HOSTILE = st.builds(
    lambda piece, times, end: piece * (LONGEST_KEY // len(piece) * times // 100) + end,
    st.sampled_from(
        ["{a,a}", "*a", "**a", "{*,*a}", "{a*,a}", "**/", "{**/,**}", "*", "?*", "[a]*", "{,a}"]
    ),
    st.integers(1, 100),
    st.sampled_from(["b", "", "*b", "/b"]),
)


@given(GLOBS.filter(bool), KEYS)
def test_an_automaton_matches_what_the_regular_expression_does(glob: str, key: str) -> None:
    parts = list(translated(glob))
    wanted = re.fullmatch("".join(parts), key, re.DOTALL)
    assert Automaton(parts).fullmatch(key) == bool(wanted)
    assert bool(pattern(glob).fullmatch(key)) == bool(wanted)


@settings(max_examples=50, deadline=None)
@given(HOSTILE, st.integers(0, LONGEST_KEY))
def test_no_pattern_takes_for_ever(glob: str, length: int) -> None:
    began = time.process_time()
    pattern(glob).fullmatch("a" * length)
    assert time.process_time() - began < 10, "a way that is tried twice as often a character more"


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(automaton, "MOST_KNOWN", 3)
    matched = Automaton(list(translated("*a*b*c*")))
    assert [matched.fullmatch(key) for key in ("xaybzc", "xaybz", "abc", "cba")] == [
        True,
        False,
        True,
        False,
    ]
    assert len(matched._spots) <= 5


@pytest.mark.parametrize("glob", ["*" * 30 + "[z-a]", "{" * 500 + "a" + "}" * 500])
def test_what_is_no_pattern_is_refused_all_the_same(glob: str) -> None:
    with pytest.raises(UsageError):
        pattern(glob)
