"""The layout of Binance's bucket."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakebed.archive.keys import INTERVALS, KLINE_TYPES, MONTHLY, TYPES, ArchiveKey
from lakebed.errors import UsageError

symbols = st.text(
    st.characters(exclude_characters="/", exclude_categories=["Cs"]), min_size=1, max_size=30
).filter(lambda text: text not in (".", ".."))


@st.composite
def archive_keys(draw: st.DrawFn) -> ArchiveKey:
    market = draw(st.sampled_from(sorted(TYPES)))
    kind = draw(st.sampled_from(sorted(TYPES[market])))
    frequency = draw(st.sampled_from(sorted(TYPES[market][kind])))
    known = INTERVALS[frequency] - (set() if market == "spot" else {"1s"})
    interval = draw(st.sampled_from(sorted(known))) if kind in KLINE_TYPES else ""
    day = draw(st.dates(date(2017, 1, 1), date(2099, 12, 31)))
    period = f"{day:%Y-%m}" if frequency == MONTHLY else f"{day:%Y-%m-%d}"
    return ArchiveKey(market, frequency, kind, draw(symbols), interval, period)


@given(archive_keys())
def test_what_is_formatted_is_read_back(key: ArchiveKey) -> None:
    assert ArchiveKey.parse(str(key)) == key


@given(st.text(max_size=80) | st.from_regex(r"data/spot/daily/[a-zA-Z/0-9-]{1,60}\.zip"))
def test_any_other_text_is_opaque_or_formats_to_itself(text: str) -> None:
    key = ArchiveKey.parse(text)
    assert key is None or str(key) == text


@given(archive_keys(), st.integers(0, 200), st.characters())
def test_a_key_with_one_more_character_is_never_read_as_another_text(
    key: ArchiveKey, place: int, extra: str
) -> None:
    text = str(key)
    changed = text[:place] + extra + text[place:]
    parsed = ArchiveKey.parse(changed)
    assert parsed is None or str(parsed) == changed


@given(archive_keys())
def test_a_period_ends_after_it_starts(key: ArchiveKey) -> None:
    assert 1 <= (key.end - key.start).days <= 31
    assert key.frequency == MONTHLY or (key.end - key.start).days == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "data/spot/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2020-01-01.zip",
            ArchiveKey("spot", "daily", "klines", "BTCUSDT", "1m", "2020-01-01"),
        ),
        (
            "data/futures/um/monthly/fundingRate/币安人生USDT/币安人生USDT-fundingRate-2026-04.zip",
            ArchiveKey("futures/um", "monthly", "fundingRate", "币安人生USDT", "", "2026-04"),
        ),
        (
            "data/futures/cm/daily/aggTrades/BTCUSD_PERP/BTCUSD_PERP-aggTrades-2024-02-29.zip",
            ArchiveKey("futures/cm", "daily", "aggTrades", "BTCUSD_PERP", "", "2024-02-29"),
        ),
        (
            "data/option/daily/BVOLIndex/BTCBVOLUSDT/BTCBVOLUSDT-BVOLIndex-2025-12-15.zip",
            ArchiveKey("option", "daily", "BVOLIndex", "BTCBVOLUSDT", "", "2025-12-15"),
        ),
    ],
)
def test_real_keys_are_read(text: str, expected: ArchiveKey) -> None:
    assert ArchiveKey.parse(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "data/spot/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2020-01-01.zip.CHECKSUM",
        "data/spot/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2020-02-30.zip",
        "data/spot/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2020-02.zip",
        "data/spot/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2020-0٢-01.zip",
        "data/spot/daily/klines/BTCUSDT/1m/BTCUSDT-5m-2020-01-01.zip",
        "data/spot/daily/klines/BTCUSDT/1m/ETHUSDT-1m-2020-01-01.zip",
        "data/spot/daily/klines/BTCUSDT/BTCUSDT-klines-2020-01-01.zip",
        "data/spot/daily/klines/BTCUSDT/1M/BTCUSDT-1M-2020-01-01.zip",
        "data/spot/daily/trades/BTCUSDT/1m/BTCUSDT-1m-2020-01-01.zip",
        "data/spot/daily/fundingRate/BTCUSDT/BTCUSDT-fundingRate-2020-01-01.zip",
        "data/futures/um/daily/klines/BTCUSDT/1s/BTCUSDT-1s-2020-01-01.zip",
        "data/futures/um/daily/newType/BTCUSDT/BTCUSDT-newType-2020-01-01.zip",
        "data/option/monthly/BVOLIndex/B/B-BVOLIndex-2020-01.zip",
        "data/spot/daily/trades/../..-trades-2020-01-01.zip",
        "other/data/spot/daily/trades/B/B-trades-2020-01-01.zip",
        "",
    ],
)
def test_what_the_layout_does_not_have_is_opaque(text: str) -> None:
    assert ArchiveKey.parse(text) is None


def test_a_surrogate_is_no_symbol() -> None:
    with pytest.raises(UsageError, match="not a key"):
        ArchiveKey("spot", "daily", "trades", "\ud800", "", "2020-01-01")


def test_the_period_has_the_form_of_the_frequency() -> None:
    with pytest.raises(UsageError, match="not a monthly period"):
        ArchiveKey("spot", "monthly", "trades", "BTCUSDT", "", "2020-01-01")


def test_archives_of_one_base_name_differ() -> None:
    names = {
        ArchiveKey("futures/um", "daily", kind, "BTCUSDT", "1m", "2024-01-01")
        for kind in KLINE_TYPES
    }
    assert len({key.stem for key in names}) == 1
    assert len({str(key) for key in names}) == len(KLINE_TYPES)
