"""A generated archive."""

import hashlib
import io
import zipfile
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakebed.archive.generate import Pair, pairs
from lakebed.archive.keys import ArchiveKey
from lakebed.archive.spec import SERIES, SYMBOLS, Series, Spec
from lakebed.errors import UsageError
from lakebed.model.pair import published_digest

MIB = 1024**2


def content(pair: Pair) -> bytes:
    assert pair.archive is not None
    return b"".join(pair.archive.chunks())


def member(pair: Pair) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content(pair))) as archive:
        assert archive.testzip() is None
        (name,) = archive.namelist()
        assert name == pair.key.rpartition("/")[2].replace(".zip", ".csv")
        return archive.read(name)


def is_proved(pair: Pair) -> bool:
    return published_digest(pair.checksum, pair.key) == hashlib.sha256(content(pair)).hexdigest()


def parsed(made: Iterable[Pair]) -> list[ArchiveKey]:
    keys = [ArchiveKey.parse(pair.key) for pair in made]
    assert None not in keys
    return [key for key in keys if key is not None]


def test_each_archive_is_a_zip_that_its_checksum_proves() -> None:
    made = list(pairs(Spec(pairs=90)))
    assert len({pair.key for pair in made}) == 90
    for pair in made:
        assert member(pair).endswith(b"\n")
        assert is_proved(pair)


def test_the_bytes_are_the_same_on_every_machine() -> None:
    digest = hashlib.sha256()
    for pair in pairs(Spec(seed=42, pairs=60)):
        digest.update(pair.key.encode() + content(pair) + pair.checksum)
    assert digest.hexdigest() == GOLDEN


GOLDEN = "6a4ac0a377b34952780947cc8c66a6ab79422b3e38ffd7a58f58bcaf7468240f"


@settings(max_examples=20, deadline=None)
@given(st.integers())
def test_the_seed_decides_the_bytes(seed: int) -> None:
    (first,), (again,), (other,) = (pairs(Spec(seed=s, pairs=1)) for s in (seed, seed, seed + 1))
    assert content(first) == content(again)
    assert first.key == other.key
    assert content(first) != content(other)


def test_both_eras_both_header_forms_and_both_newline_forms_occur() -> None:
    made = list(pairs(Spec(days=4)))
    keys = parsed(made)
    assert {key.start.year for key in keys if key.market == "spot"} == {2024, 2025}
    assert any(key.symbol == "币安人生USDT" for key in keys)
    futures = [pair for pair, key in zip(made, keys, strict=True) if key.market != "spot"]
    headed = [not member(pair)[:1].isdigit() for pair in futures]
    assert any(headed)
    assert not all(headed)
    for pair, key in zip(made, keys, strict=True):
        assert pair.checksum.endswith(b"\n") == (key.market != "spot")
        assert key.market != "spot" or member(pair)[:1].isdigit()


def test_sizes_spread_over_two_orders_of_magnitude() -> None:
    trades = Spec(pairs=300, series=(Series("spot", "daily", "trades"),))
    sizes = sorted(pair.size for pair in pairs(trades))
    assert sizes[0] < 1500
    assert 5_000 < sizes[150] < 20_000
    assert 80_000 < sizes[-1] < 120_000


def test_an_archive_ends_with_the_first_limit_that_is_reached() -> None:
    assert len(list(pairs(Spec(pairs=7, days=1000)))) == 7
    assert sum(pair.size for pair in pairs(Spec(bytes=MIB))) >= MIB
    daily = [series for series in SERIES if series.frequency == "daily"]
    monthly = len(SERIES) - len(daily)
    expected = len(SYMBOLS) * (2 * len(daily) + monthly)
    assert len(list(pairs(Spec(days=2)))) == expected


def test_an_archive_can_have_more_pairs_than_its_symbols_have_days() -> None:
    once = (Series("spot", "monthly", "klines", "1mo"),)
    made = list(pairs(Spec(pairs=120, symbols=("BTCUSDT",), series=once)))
    symbols = {key.symbol for key in parsed(made)}
    assert len({pair.key for pair in made}) == 120
    assert symbols == {"BTCUSDT", "1XBTCUSDT"}


def test_corrupt_archives_are_whole_and_do_not_match_their_checksum() -> None:
    made = list(pairs(Spec(pairs=60, corrupt=3)))
    refused = [pair for pair in made if not is_proved(pair)]
    assert len(refused) == 3
    for pair in refused:
        assert member(pair)
        assert published_digest(pair.checksum, pair.key) is not None


def test_halves_are_sidecars_that_lost_their_archive() -> None:
    lost = [pair for pair in pairs(Spec(pairs=60, halves=2)) if pair.archive is None]
    assert len(lost) == 2
    assert all(pair.size == 0 and pair.checksum for pair in lost)


def test_holes_are_left_out_and_nothing_else_changes() -> None:
    whole = {pair.key for pair in pairs(Spec(days=1))}
    holed = {pair.key for pair in pairs(Spec(days=1, holes=2))}
    assert len(whole - holed) == 2
    assert holed < whole


@pytest.mark.parametrize("spec", [Spec(pairs=30), Spec(bytes=2 * MIB)], ids=["pairs", "bytes"])
def test_a_revision_replaces_some_pairs_and_makes_no_other(spec: Spec) -> None:
    before = {pair.key: content(pair) for pair in pairs(spec)}
    second = list(pairs(replace(spec, replace=3, revision=2)))
    third = list(pairs(replace(spec, replace=3, revision=3)))
    assert len(second) == 3
    assert [pair.key for pair in second] == [pair.key for pair in third]
    for pair, later in zip(second, third, strict=True):
        assert is_proved(pair)
        assert len({before[pair.key], content(pair), content(later)}) == 3


def test_the_large_file_is_about_as_large_as_asked_and_is_not_kept_in_memory() -> None:
    large = next(pairs(Spec(pairs=1, large=3 * MIB)))
    assert large.key == "data/spot/monthly/trades/BTCUSDT/BTCUSDT-trades-2024-12.zip"
    assert large.archive is not None
    assert 2.5 * MIB < large.size < 3.5 * MIB
    assert max(len(chunk) for chunk in large.archive.chunks()) < 66_000
    assert sum(len(chunk) for chunk in large.archive.chunks()) == large.size
    assert is_proved(large)
    assert member(large)


def test_pairs_are_made_one_at_a_time() -> None:
    assert len(list(islice(pairs(Spec(pairs=10**9)), 3))) == 3


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ({}, "no end"),
        ({"pairs": -1}, "negative"),
        ({"days": 3001}, "at most 3000 days"),
        ({"pairs": 1, "replace": 1}, "revision"),
        ({"pairs": 1, "symbols": ()}, "nothing that can be generated"),
        ({"pairs": 1, "series": ()}, "nothing that can be generated"),
        ({"pairs": 1, "series": (Series("spot", "daily", "depth"),)}, "depth"),
    ],
)
def test_a_wrong_spec_is_refused(wrong: dict[str, object], what: str) -> None:
    with pytest.raises(UsageError, match=what):
        Spec(**wrong)  # type: ignore[arg-type]  # each field has a type of its own
