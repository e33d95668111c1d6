"""Stretches of unchanged couples: nothing that is not certain, and nothing twice."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakebed.model.objects import Object
from lakebed.model.operation import Compare, Counters, Filters, Kind, Options
from lakebed.model.pair import is_sidecar
from lakebed.store.contract import Buffer
from lakebed.transfer import merge
from lakebed.transfer.merge import Couple, pairs
from lakebed.transfer.plan import Planner, Step
from lakebed.transfer.reading import Reading
from lakebed.transfer.stretch import Stretch, unchanged_stretch
from tests.transfer.engine import DESTINATION, SOURCE, Engine

MOMENT = datetime(2026, 5, 8, tzinfo=UTC)
MD5, OTHER = "0" * 32, "1" * 32
PIECES = st.sampled_from(["X", "a", "/", "!", "-", ".zip", ".C", ".CHECKSUM", "T", "币"])
KEYS = st.lists(PIECES, min_size=1, max_size=4).map("".join)
TAGS = st.sampled_from([MD5, MD5, MD5, OTHER, "multi-2"])


def reading(listed: dict[str, str], prefix: str, size: int = 3) -> Reading:
    """Keys with their ETags, in pages of `size`."""
    found = [Object(prefix + key, 1, listed[key], MOMENT) for key in sorted(listed)]
    pages = (found[place : place + size] for place in range(0, len(found), size))
    return Reading(pages, len(prefix))


def stretch_of(*keys: str, sidecars: bool = True) -> Stretch:
    listed = dict.fromkeys(keys, MD5)
    return unchanged_stretch(reading(listed, "s/", 99), reading(listed, "d/x/", 99), sidecars)


def test_pairs_are_a_stretch() -> None:
    assert stretch_of("a.zip", "a.zip.CHECKSUM", "b", "b.CHECKSUM") == Stretch(4, 0, "b.CHECKSUM")


def test_an_archive_whose_sidecar_may_still_come_is_not_in_it() -> None:
    assert stretch_of("a", "a.CHECKSUM", "b") == Stretch(2, 0, "a.CHECKSUM")
    assert stretch_of("a", "a!", "a.CHECKSUM") == Stretch(0, 0, "")


def test_halves_are_counted() -> None:
    assert stretch_of("a.zip", "b.CHECKSUM", "c/") == Stretch(3, 2, "c/")
    assert stretch_of("a.zip", "b.CHECKSUM", sidecars=False) == Stretch(2, 1, "b.CHECKSUM")


def test_nothing_is_unchanged_at_the_end_of_a_listing() -> None:
    one = {"a/": MD5}
    for left, right in (({}, one), (one, {}), ({}, {})):
        assert not unchanged_stretch(reading(left, ""), reading(right, ""), True).entries


@pytest.mark.parametrize("etag", [OTHER, "multi-2"])
def test_only_equal_md5s_are_unchanged(etag: str) -> None:
    left, right = {"a/": MD5, "b/": MD5}, {"a/": MD5, "b/": etag}
    found = unchanged_stretch(reading(left, ""), reading(right, ""), True)
    assert found == Stretch(1, 0, "a/")
    same = {"a/": etag}
    found = unchanged_stretch(reading(same, ""), reading(same, ""), True)
    assert found.entries == (etag == OTHER)


@given(
    st.dictionaries(KEYS, st.tuples(TAGS, TAGS, st.sampled_from("bbbbsd")), max_size=25),
    st.booleans(),
    st.integers(1, 4),
)
def test_skimming_yields_what_else_would_be_couples(
    listed: dict[str, tuple[str, str, str]], sidecars: bool, size: int
) -> None:
    """The law on which a run relies: a stretch is the couples between two floors, unchanged."""
    left = {key: tags[0] for key, tags in listed.items() if tags[2] in "bs"}
    right = {key: tags[1] for key, tags in listed.items() if tags[2] in "bd"}

    def run(skim: bool) -> list[Couple | Stretch]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(merge, "_WORTH", 1)
            both = reading(left, "data/", size), reading(right, "d/", size + 1)
            return list(pairs(*both, sidecars, skim=skim))

    plain = [part for part in run(skim=False) if isinstance(part, Couple)]
    place = 0
    for part in run(skim=True):
        if isinstance(part, Couple):
            assert part == plain[place]
            place += 1
            continue
        inside = plain[place:]
        inside = inside[: [couple.floor for couple in inside].index(part.floor) + 1]
        place += len(inside)
        entries = [entry for c in inside for entry in (c.archive, c.sidecar) if entry]
        assert len(entries) == part.entries
        for entry in entries:
            assert entry.source is not None
            assert entry.destination is not None
            assert entry.source.etag == entry.destination.etag in (MD5, OTHER)
        lonely = [c for c in inside if (c.archive is None) or (c.sidecar is None)]
        assert part.halves == sum(
            c.key.endswith(".zip") or (sidecars and is_sidecar(c.key)) for c in lonely
        )
    assert place == len(plain)


# --- in a plan -----------------------------------------------------------------------------------


def engine_with(count: int, options: Options) -> Engine:
    """As many archives with sidecars at both ends, and one that is missing in the middle."""
    engine = Engine(options=options)
    for number in range(count):
        for name in (f"{number:04}.zip", f"{number:04}.zip.CHECKSUM"):
            body = Buffer((name.encode(),))
            engine.held_source.put(SOURCE.bucket, SOURCE.key(name), body)
            if number != count // 2:
                engine.held.put(DESTINATION.bucket, DESTINATION.key(name), body)
    return engine


def steps_of(engine: Engine, skim: bool, kind: Kind = Kind.SYNC) -> list[Step]:
    return list(Planner(engine.sides(), engine.recorder, kind).steps(skim=skim))


def total(steps: list[Step]) -> Counters:
    counters = Counters()
    for step in steps:
        counters.add(step.counters)
    return counters


def test_a_plan_that_skims_decides_and_counts_the_same() -> None:
    engine = engine_with(200, Options())
    plain, skimmed = steps_of(engine, skim=False), steps_of(engine, skim=True)
    assert total(skimmed) == total(plain)
    assert total(skimmed).skipped == 398
    assert [step.unit for step in skimmed if step.unit] == [s.unit for s in plain if s.unit]
    assert len(skimmed) < len(plain) / 4


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        (Options(compare=Compare.DIGEST), Kind.SYNC),
        (Options(filters=Filters(min_size=1)), Kind.SYNC),
        (Options(delete_source=True), Kind.SYNC),
        (Options(), Kind.VERIFY),
    ],
)
def test_where_more_is_asked_of_an_object_each_is_looked_at(options: Options, kind: Kind) -> None:
    steps = steps_of(engine_with(100, options), skim=True, kind=kind)
    assert len(steps) == 100
