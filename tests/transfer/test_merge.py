"""The merge of two listings, and the couples of archives and sidecars in it."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakebed.model.location import Location
from lakebed.model.objects import Object
from lakebed.model.pair import is_sidecar, sidecar_of
from lakebed.transfer.merge import Couple, Entry, merge, pairs

MOMENT = datetime(2026, 5, 8, tzinfo=UTC)

# Few pieces, so that keys are often prefixes of each other and fall around ".CHECKSUM".
PIECES = st.sampled_from(
    ["X", "a", "/", "!", "-", ".", ".C", ".CHECKSUM", ".CHECK", "SUM", "T", "币", "\U0001f600"]
)
KEYS = st.lists(PIECES, min_size=1, max_size=5).map("".join)
KEY_SETS = st.frozensets(KEYS, max_size=25)


def listed(keys: frozenset[str], prefix: str = "") -> Iterator[Object]:
    return iter([Object(prefix + key, 1, "etag", MOMENT) for key in sorted(keys)])


def merged(source: frozenset[str], destination: frozenset[str]) -> list[Entry]:
    left, right = Location("a", "b", "data/"), Location("c", "d", "bronze/spot/")
    return list(
        merge(
            listed(source, left.path),
            listed(destination, right.path),
            left.relative,
            right.relative,
        )
    )


def entries(*keys: str) -> list[Entry]:
    return merged(frozenset(keys), frozenset())


def halves(couple: Couple) -> tuple[str | None, str | None]:
    archive, sidecar = couple.archive, couple.sidecar
    return (archive.key if archive else None, sidecar.key if sidecar else None)


def keys_of(couple: Couple) -> list[str]:
    return [entry.key for entry in (couple.archive, couple.sidecar) if entry]


def coupled(*keys: str) -> list[tuple[str | None, str | None]]:
    return [halves(couple) for couple in pairs(iter(entries(*keys)), sidecars=True)]


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
    def endless() -> Iterator[Object]:
        number = 0
        while True:
            yield Object(f"{number:09}", 1, "etag", MOMENT)
            number += 1

    both = merge(endless(), endless(), str, str)
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
    found = list(pairs(iter(entries("X", "X.CHECKSUM")), sidecars=False))
    assert [(halves(couple), couple.floor) for couple in found] == [
        (("X", None), "X"),
        (("X.CHECKSUM", None), "X.CHECKSUM"),
    ]


def test_a_couple_goes_by_the_key_of_its_archive() -> None:
    both, alone = pairs(iter(entries("a", "a.CHECKSUM", "b.CHECKSUM")), sidecars=True)
    assert (both.key, alone.key) == ("a", "b.CHECKSUM")


def test_a_couple_is_yielded_as_soon_as_its_sidecar_came() -> None:
    def then_fail(found: list[Entry]) -> Iterator[Entry]:
        yield from found
        raise AssertionError("read too far")

    couples = pairs(then_fail(entries("X", "X.CHECKSUM")), sidecars=True)
    assert halves(next(couples)) == ("X", "X.CHECKSUM")


def test_no_more_archives_wait_than_a_key_has_characters() -> None:
    deep = ["X" + "!" * length for length in range(100)]
    read = 0

    def counted() -> Iterator[Entry]:
        nonlocal read
        for entry in entries(*deep, "Y"):
            read += 1
            yield entry

    couples = pairs(counted(), sidecars=True)
    assert halves(next(couples)) == (deep[-1], None)
    assert read == 101
    assert [couple.key for couple in couples] == [*reversed(deep[:-1]), "Y"]


def test_the_floor_stays_below_the_lowest_archive_that_waits() -> None:
    found = pairs(iter(entries("W", "X", "X!", "X!.CHECKSUM", "X-", "Y")), sidecars=True)
    assert [(couple.key, couple.floor) for couple in found] == [
        ("W", "W"),
        ("X!", "W"),
        ("X-", "W"),
        ("X", "X-"),
        ("Y", "Y"),
    ]


def test_the_first_floor_is_where_the_entries_began() -> None:
    found = list(pairs(iter(entries("X", "X!", "X.CHECKSUM")), sidecars=True, after="V"))
    assert [(couple.key, couple.floor) for couple in found] == [("X!", "V"), ("X", "X.CHECKSUM")]


@given(KEY_SETS)
def test_couples_lose_nothing_and_join_what_belongs_together(keys: frozenset[str]) -> None:
    found = list(pairs(iter(entries(*keys)), sidecars=True))
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
    whole = entries(*keys)
    couples = list(pairs(iter(whole), sidecars))
    cut = data.draw(st.integers(0, len(couples)), label="couples yielded before the cut")
    before = couples[:cut]
    floor = before[-1].floor if before else ""

    rest = (entry for entry in whole if entry.key > floor)
    again = list(pairs(rest, sidecars, after=floor))

    def below(couple: Couple) -> bool:
        return max(keys_of(couple)) <= floor

    def above(couple: Couple) -> bool:
        return min(keys_of(couple)) > floor

    assert all(below(couple) or above(couple) for couple in couples), "no couple is cut in two"
    assert [halves(c) for c in again] == [halves(c) for c in couples if above(c)]
    assert all(couple in before for couple in couples if below(couple)), "the floor is yielded"
    assert {halves(c) for c in before} | {halves(c) for c in again} == {halves(c) for c in couples}


@given(KEY_SETS)
def test_floors_never_fall_and_the_last_one_is_the_end(keys: frozenset[str]) -> None:
    floors = [couple.floor for couple in pairs(iter(entries(*keys)), sidecars=True)]
    assert floors == sorted(floors)
    assert not keys or floors[-1] == max(keys)
