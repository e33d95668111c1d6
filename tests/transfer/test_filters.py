"""Filters on keys, sizes and times."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakebed.errors import UsageError
from lakebed.model.operation import Filters
from lakebed.transfer.filters import Selector, escape, pattern

MOMENT = datetime(2026, 5, 8, tzinfo=UTC)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
ODD = st.text(st.sampled_from("ab/.*?[]{},!^-\\\n币 "), min_size=1, max_size=12)
KEYS = st.one_of(TEXT, ODD)


def selects(key: str, *patterns: str) -> bool:
    """`+glob` includes, `-glob` excludes."""
    rules = tuple((glob[0] == "+", glob[1:]) for glob in patterns)
    return Selector.of(Filters(patterns=rules)).selects(key, 0, MOMENT)


@pytest.mark.parametrize(
    ("glob", "matched", "refused"),
    [
        ("*.zip", ["a.zip", "d/a.zip", ".zip", "d/.zip"], ["a.zip/b", "a.zip.CHECKSUM"]),
        ("d/*.zip", ["d/a.zip", "d/.zip"], ["d/e/a.zip", "c/d/a.zip", "a.zip"]),
        ("d/**", ["d/a", "d/e/f", "d/", "d//e"], ["d", "da", "c/d/a"]),
        ("d/**/f", ["d/f", "d/e/f", "d/e/e/f", "d//f"], ["df", "d/ef", "d/e/ff"]),
        ("**/f", ["f", "d/f", "/f"], ["df"]),
        ("x/a**f", ["x/af", "x/a/b/f"], ["x/a/b/g", "y/af"]),
        ("a**/f", ["a/f", "ab/c/f"], ["af"]),
        ("a**", ["a", "ab", "x/ab"], ["a/b"]),
        ("***/f", ["f", "d/f"], ["df"]),
        ("a/?", ["a/b", "a/币", "a/\U0001f600", "a/\n"], ["a/", "a/bc", "a//"]),
        ("[abc]", ["a", "d/c"], ["d", "ab"]),
        ("[a-c]/[!x-z]", ["a/a", "c/-"], ["d/a", "a/x", "a//"]),
        ("[^a]", ["b"], ["a"]),
        (r"[\]\-^a]", ["]", "-", "^", "a"], ["\\", "b"]),
        ("[-a]", ["-", "a"], ["b"]),
        ("{a,b}/*", ["a/x", "b/x"], ["c/x", "{a,b}/x"]),
        ("{a,b{c,d},}x/y", ["ax/y", "bcx/y", "bdx/y", "x/y"], ["bx/y"]),
        ("{**/,}x", ["x", "d/x"], ["dx"]),
        ("a,b", ["a,b"], ["a", "b"]),
        (r"\{a,b\}", ["{a,b}"], ["a"]),
        ("a]", ["a]"], ["a"]),
        ("./x", ["./x"], ["x", "d/./x"]),
        ("d//e", ["d//e"], ["d/e"]),
        ("a/", ["a/"], ["a", "a//"]),
        ("/lead", ["/lead"], ["lead", "//lead"]),
        ("*", ["a", "d/a", "..", "d/", "\n"], []),
        ("*/..", ["a/..", "/.."], ["..", "a/b/.."]),
        ("A", ["A"], ["a"]),
        (".+", [".+"], ["ab"]),
    ],
)
def test_a_glob_matches_what_the_grammar_says(
    glob: str, matched: list[str], refused: list[str]
) -> None:
    assert [key for key in matched if not selects(key, "+" + glob)] == []
    assert [key for key in refused if selects(key, "+" + glob)] == []


@pytest.mark.parametrize("glob", ["", "{a", "a}", "{a}}", "[a", "[]", "[z-a]", "a\\"])
def test_what_is_no_pattern_is_refused_by_name(glob: str) -> None:
    with pytest.raises(UsageError, match=re.escape(repr(glob))):
        Selector.of(Filters(patterns=((True, glob),)))


@given(KEYS, KEYS)
def test_an_escaped_key_matches_itself_alone(key: str, other: str) -> None:
    assert pattern(escape(key)).fullmatch(key)
    assert bool(pattern(escape(key)).fullmatch(other)) == (key == other)


@given(KEYS)
def test_two_stars_match_everything(key: str) -> None:
    assert selects(key, "+**")
    assert selects(key, "+**/**")
    assert not selects(key, "-**")


@given(KEYS, KEYS)
def test_one_star_never_crosses_a_slash(left: str, right: str) -> None:
    assert not pattern("*").fullmatch(f"{left}/{right}")
    assert not pattern("*.zip").fullmatch(f"{left}/{right}.zip")


@given(KEYS, KEYS)
def test_a_pattern_without_a_slash_is_matched_with_the_last_part(folder: str, key: str) -> None:
    last_part = key.rpartition("/")[2]
    for glob in ("*.zip", "a*", "?", "[!a]*"):
        assert selects(f"{folder}/{key}", "+" + glob) == bool(pattern(glob).fullmatch(last_part))


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(["a*", "*b", "**", "a/**"])), max_size=5))
def test_the_last_match_wins_and_the_first_pattern_says_what_the_rest_is(
    rules: list[tuple[bool, str]],
) -> None:
    selector = Selector.of(Filters(patterns=tuple(rules)))
    for key in ("ab", "b", "a/c", "c"):
        expected = not rules or not rules[0][0]
        for take, glob in rules:
            if pattern(glob).fullmatch(key if "/" in glob else key.rpartition("/")[2]):
                expected = take
        assert selector.selects(key, 0, MOMENT) == expected


def test_an_exclude_first_takes_the_rest() -> None:
    assert selects("a.txt", "-*.zip")
    assert not selects("a.zip", "-*.zip")
    assert selects("b/a.zip", "-*.zip", "+b/**")


def test_an_include_first_leaves_the_rest_out() -> None:
    assert not selects("a.txt", "+*.zip")
    assert not selects("b/a.zip", "+*.zip", "-b/**")


@given(KEYS)
def test_no_filters_select_everything(key: str) -> None:
    assert Selector.of(Filters()).selects(key, 0, MOMENT)


@pytest.mark.parametrize(
    ("filters", "size", "selected"),
    [
        (Filters(min_size=10), 10, True),
        (Filters(min_size=10), 9, False),
        (Filters(max_size=10), 10, True),
        (Filters(max_size=10), 11, False),
        (Filters(max_size=0), 0, True),
        (Filters(max_size=0), 1, False),
    ],
)
def test_both_bounds_of_a_size_are_included(filters: Filters, size: int, selected: bool) -> None:
    assert Selector.of(filters).selects("a", size, MOMENT) is selected


@given(st.timedeltas(timedelta(days=-2), timedelta(days=2)))
def test_each_moment_is_either_newer_or_older(age: timedelta) -> None:
    newer = Selector.of(Filters(newer=MOMENT)).selects("a", 0, MOMENT + age)
    older = Selector.of(Filters(older=MOMENT)).selects("a", 0, MOMENT + age)
    assert newer is (age >= timedelta(0))
    assert older is not newer


def test_a_list_of_keys_selects_these_and_no_others() -> None:
    selector = Selector.of(Filters(keys=("a", "d/b")))
    assert selector.selects("a", 0, MOMENT)
    assert selector.selects("d/b", 0, MOMENT)
    assert not selector.selects("b", 0, MOMENT)
    assert not selector.selects("d/a", 0, MOMENT)


def test_a_listed_key_must_also_pass_the_patterns() -> None:
    filters = Filters(keys=("a.zip", "b.txt"), patterns=((True, "*.zip"),))
    assert Selector.of(filters).selects("a.zip", 0, MOMENT)
    assert not Selector.of(filters).selects("b.txt", 0, MOMENT)


def test_an_empty_list_of_keys_selects_nothing() -> None:
    assert not Selector.of(Filters(keys=())).selects("a", 0, MOMENT)
