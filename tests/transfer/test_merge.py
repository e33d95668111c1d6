"""The merge of two listings, and the couples of archives and sidecars in it."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakebed.model.objects import Object
from lakebed.model.pair import is_sidecar, sidecar_of
from lakebed.transfer.merge import Couple, Entry, merge, pairs
from lakebed.transfer.reading import Reading

MOMENT = datetime(2026, 5, 8, tzinfo=UTC)

# Few pieces, so that keys are often prefixes of each other and fall around ".CHECKSUM".
PIECES = st.sampled_from(
    ["X", "a", "/", "!", "-", ".", ".C", ".CHECKSUM", ".CHECK", "SUM", "T", "币", "\U0001f600"]
)
KEYS = st.lists(PIECES, min_size=1, max_size=5).map("".join)
KEY_SETS = st.frozensets(KEYS, max_size=25)


def listed(keys: frozenset[str], prefix: str = "") -> Reading:
    """In pages of two objects, and an empty one."""
    found = [Object(prefix + key, 1, "etag", MOMENT) for key in sorted(keys)]
    pages = [found[place : place + 2] for place in range(0, len(found), 2)]
    return Reading(iter([(), *pages]), len(prefix))


def merged(source: frozenset[str], destination: frozenset[str]) -> list[Entry]:
    return list(merge(listed(source, "data/"), listed(destination, "bronze/spot/")))


def couples(keys: Iterable[str], sidecars: bool = True, *, after: str = "") -> Iterator[Couple]:
    """Of a source with these keys, and an empty destination."""
    found = pairs(listed(frozenset(keys)), listed(frozenset()), sidecars, after=after)
    return (couple for couple in found if isinstance(couple, Couple))


def entries(*keys: str) -> list[Entry]:
    return merged(frozenset(keys), frozenset())


def halves(couple: Couple) -> tuple[str | None, str | None]:
    archive, sidecar = couple.archive, couple.sidecar
    return (archive.key if archive else None, sidecar.key if sidecar else None)


def keys_of(couple: Couple) -> list[str]:
    return [entry.key for entry in (couple.archive, couple.sidecar) if entry]


def coupled(*keys: str) -> list[tuple[str | None, str | None]]:
    return [halves(couple) for couple in couples(keys)]


# --- merge ---------------------------------------------------------------------------------------


@given(KEY_SETS, KEY_SETS)
def test_a_merge_loses_nothing_and_invents_nothing(
    source: frozenset[str], destination: frozenset[str]
) -> None:
    found = merged(source, destination)
    assert [entry.key for entry in found] == sorted(source | destination)
    assert {entry.key for entry in found if entry.source} == source
    assert {entry.key for entry in found if entry.destination} == destination


def test_an_entry_holds_the_full_keys_of_both_ends() -> None:
    (entry,) = merged(frozenset({"a.zip"}), frozenset({"a.zip"}))
    assert entry.source is not None
    assert entry.destination is not None
    assert (entry.source.key, entry.destination.key) == ("data/a.zip", "bronze/spot/a.zip")


def test_a_merge_reads_its_listings_as_streams() -> None:
    def endless() -> Reading:
        return Reading([Object(f"{number:09}", 1, "etag", MOMENT)] for number in count())

    both = merge(endless(), endless())
    assert [next(both).key for _ in range(3)] == ["000000000", "000000001", "000000002"]


# --- couples -------------------------------------------------------------------------------------


def test_an_archive_and_its_sidecar_are_one_couple() -> None:
    assert coupled("X.zip", "X.zip.CHECKSUM") == [("X.zip", "X.zip.CHECKSUM")]


@pytest.mark.parametrize("between", ["X!", "X-foo", "X-foo/bar", "X.B", "X "])
def test_keys_that_sort_between_the_halves_do_not_part_them(between: str) -> None:
    assert sorted(coupled("X", between, "X.CHECKSUM"), key=str) == sorted(
        [("X", "X.CHECKSUM"), (between, None)], key=str
    )


def test_couples_may_be_nested() -> None:
    assert coupled("X", "X-1", "X-1-2", "X-1-2.CHECKSUM", "X-1.CHECKSUM", "X.CHECKSUM") == [
        ("X-1-2", "X-1-2.CHECKSUM"),
        ("X-1", "X-1.CHECKSUM"),
        ("X", "X.CHECKSUM"),
    ]


def test_halves_are_couples_of_their_own() -> None:
    assert coupled("a.zip", "b.zip.CHECKSUM") == [("a.zip", None), (None, "b.zip.CHECKSUM")]


def test_a_folder_has_no_sidecar() -> None:
    assert coupled("a/", "a/!", "a/.CHECKSUM") == [
        ("a/", None),
        ("a/!", None),
        ("a/.CHECKSUM", None),
    ]


def test_without_sidecars_each_entry_is_an_archive_alone() -> None:
    found = list(couples(["X", "X.CHECKSUM"], sidecars=False))
    assert [(halves(couple), couple.floor) for couple in found] == [
        (("X", None), "X"),
        (("X.CHECKSUM", None), "X.CHECKSUM"),
    ]


def test_a_couple_goes_by_the_key_of_its_archive() -> None:
    both, alone = couples(["a", "a.CHECKSUM", "b.CHECKSUM"])
    assert (both.key, alone.key) == ("a", "b.CHECKSUM")


def test_a_couple_is_yielded_as_soon_as_its_sidecar_came() -> None:
    def then_fail() -> Iterator[list[Object]]:
        yield [Object(key, 1, "etag", MOMENT) for key in ("X", "X.CHECKSUM")]
        raise AssertionError("read too far")

    found = pairs(Reading(then_fail()), listed(frozenset()), sidecars=True)
    first = next(found)
    assert isinstance(first, Couple)
    assert halves(first) == ("X", "X.CHECKSUM")


def test_no_more_archives_wait_than_a_key_has_characters() -> None:
    deep = ["X" + "!" * length for length in range(100)]
    read = 0

    def counted() -> Iterator[list[Object]]:
        nonlocal read
        for key in (*deep, "Y"):
            read += 1
            yield [Object(key, 1, "etag", MOMENT)]

    found = pairs(Reading(counted()), listed(frozenset()), sidecars=True)
    first = next(found)
    assert isinstance(first, Couple)
    assert halves(first) == (deep[-1], None)
    assert read == 101
    assert [c.key for c in found if isinstance(c, Couple)] == [*reversed(deep[:-1]), "Y"]


def test_the_floor_stays_below_the_lowest_archive_that_waits() -> None:
    found = couples(["W", "X", "X!", "X!.CHECKSUM", "X-", "Y"])
    assert [(couple.key, couple.floor) for couple in found] == [
        ("W", "W"),
        ("X!", "W"),
        ("X-", "W"),
        ("X", "X-"),
        ("Y", "Y"),
    ]


def test_the_first_floor_is_where_the_entries_began() -> None:
    found = list(couples(["X", "X!", "X.CHECKSUM"], after="V"))
    assert [(couple.key, couple.floor) for couple in found] == [("X!", "V"), ("X", "X.CHECKSUM")]


@given(KEY_SETS)
def test_couples_lose_nothing_and_join_what_belongs_together(keys: frozenset[str]) -> None:
    found = list(couples(keys))
    assert sorted(key for couple in found for key in keys_of(couple)) == sorted(keys)
    together = {
        (key, sidecar_of(key))
        for key in keys
        if not is_sidecar(key) and sidecar_of(key) in keys and is_sidecar(sidecar_of(key))
    }
    assert {halves(c) for c in found if c.archive and c.sidecar} == together


@given(KEY_SETS, st.booleans(), st.data())
def test_a_stream_cut_anywhere_goes_on_from_its_floor(
    keys: frozenset[str], sidecars: bool, data: st.DataObject
) -> None:
    """The law on which a resume relies."""
    whole = list(couples(keys, sidecars))
    cut = data.draw(st.integers(0, len(whole)), label="couples yielded before the cut")
    before = whole[:cut]
    floor = before[-1].floor if before else ""

    again = list(couples((key for key in keys if key > floor), sidecars, after=floor))

    def below(couple: Couple) -> bool:
        return max(keys_of(couple)) <= floor

    def above(couple: Couple) -> bool:
        return min(keys_of(couple)) > floor

    assert all(below(couple) or above(couple) for couple in whole), "no couple is cut in two"
    assert [halves(c) for c in again] == [halves(c) for c in whole if above(c)]
    assert all(couple in before for couple in whole if below(couple)), "the floor is yielded"
    assert {halves(c) for c in before} | {halves(c) for c in again} == {halves(c) for c in whole}


@given(KEY_SETS)
def test_floors_never_fall_and_the_last_one_is_the_end(keys: frozenset[str]) -> None:
    floors = [couple.floor for couple in couples(keys)]
    assert floors == sorted(floors)
    assert not keys or floors[-1] == max(keys)
