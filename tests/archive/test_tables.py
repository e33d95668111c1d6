"""The rows of each type."""

import re
from datetime import UTC, datetime
from random import Random

import pytest

from lakebed.archive.keys import ArchiveKey
from lakebed.archive.tables import TABLES
from lakebed.archive.tables.table import ticks


def rows(key: ArchiveKey, size: int = 2000) -> list[list[str]]:
    table = TABLES[key.type]
    draw = Random(7)
    template = table.template(draw, key.market)
    lines = [template % fields for fields in table.fields(key, table.count(key, size), draw)]
    assert all(line.endswith("\n") for line in lines)
    return [line[:-1].split(",") for line in lines]


def daily(market: str, kind: str, interval: str = "", day: str = "2025-01-01") -> ArchiveKey:
    return ArchiveKey(market, "daily", kind, "BTCUSDT", interval, day)


MONTH = ArchiveKey("futures/um", "monthly", "fundingRate", "BTCUSDT", "", "2026-04")


@pytest.mark.parametrize(
    "key",
    [
        daily("futures/um", "klines", "1h"),
        daily("futures/um", "markPriceKlines", "1h"),
        daily("futures/um", "aggTrades"),
        daily("futures/um", "trades"),
        daily("futures/cm", "trades"),
        daily("futures/um", "metrics"),
        MONTH,
    ],
    ids=str,
)
def test_a_row_has_the_columns_of_its_header(key: ArchiveKey) -> None:
    columns = TABLES[key.type].columns(key.market).split(",")
    assert {len(row) for row in rows(key)} == {len(columns)}


@pytest.mark.parametrize("kind", ["aggTrades", "trades"])
def test_spot_trades_say_whether_the_price_was_the_best(kind: str) -> None:
    columns = TABLES[kind].columns("spot").split(",")
    row = rows(daily("spot", kind))[0]
    assert len(row) == len(columns) + 1
    assert {row[-2], row[-1]} <= {"True", "False"}
    assert rows(daily("futures/um", kind))[0][-1] in ("true", "false")


@pytest.mark.parametrize("market", ["futures/um", "futures/cm"])
def test_the_fourth_column_of_trades_depends_on_the_market(market: str) -> None:
    expected = {"futures/um": "quote_qty", "futures/cm": "base_qty"}[market]
    assert TABLES["trades"].columns(market).split(",")[3] == expected


@pytest.mark.parametrize(
    ("key", "digits"),
    [
        (daily("spot", "klines", "1h", "2024-12-31"), 13),
        (daily("spot", "klines", "1h", "2025-01-01"), 16),
        (daily("futures/um", "klines", "1h", "2025-01-01"), 13),
    ],
    ids=str,
)
def test_spot_counts_microseconds_from_2025_on(key: ArchiveKey, digits: int) -> None:
    assert {len(row[0]) for row in rows(key)} == {digits}


@pytest.mark.parametrize(
    ("frequency", "interval", "period", "expected"),
    [
        ("daily", "1s", "2024-01-01", 86_400),
        ("daily", "1m", "2024-01-01", 1440),
        ("daily", "1h", "2024-01-01", 24),
        ("monthly", "1d", "2024-02", 29),
        ("monthly", "3d", "2024-02", 10),
        ("monthly", "1w", "2024-02", 5),
        ("monthly", "1mo", "2024-02", 1),
    ],
)
def test_no_candle_is_missing(frequency: str, interval: str, period: str, expected: int) -> None:
    key = ArchiveKey("spot", frequency, "klines", "BTCUSDT", interval, period)
    found = rows(key)
    assert len(found) == expected == TABLES["klines"].count(key, 0)
    first, end = ticks(key)
    opened = [int(row[0]) for row in found]
    assert opened[0] == first
    assert opened[-1] < end
    assert all(int(row[6]) + 1 == later for row, later in zip(found, opened[1:], strict=False))


def test_a_candle_lies_between_its_low_and_its_high() -> None:
    draw = Random(1)
    for _ in range(200):
        row = (TABLES["klines"].template(draw, "spot") % (1, 2)).split(",")
        opened, high, low, closed = map(float, row[1:5])
        assert low <= min(opened, closed) <= max(opened, closed) <= high


@pytest.mark.parametrize("kind", ["aggTrades", "trades"])
def test_trades_are_in_order_and_within_their_day(kind: str) -> None:
    key = daily("futures/um", kind)
    found = rows(key)
    times = [int(row[{"aggTrades": 5, "trades": 4}[kind]]) for row in found]
    numbers = [int(row[0]) for row in found]
    first, end = ticks(key)
    assert times == sorted(times)
    assert first <= times[0] <= times[-1] < end
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_a_file_of_trades_has_at_least_one_row() -> None:
    assert len(rows(daily("spot", "trades"), size=1)) == 1


def test_funding_is_due_every_eight_hours_and_a_little_late() -> None:
    found = rows(MONTH)
    first, _ = ticks(MONTH)
    late = [int(row[0]) - first - number * 8 * 3600 * 1000 for number, row in enumerate(found)]
    assert len(found) == 90
    assert all(0 <= milliseconds <= 13 for milliseconds in late)
    assert {row[1] for row in found} == {"8"}


def test_metrics_cover_the_day_once_in_no_order() -> None:
    found = rows(daily("futures/um", "metrics"))
    times = [row[0] for row in found]
    assert len(set(times)) == 288
    assert times != sorted(times)
    moments = {datetime.fromisoformat(text).replace(tzinfo=UTC).date() for text in times}
    assert [str(day) for day in moments] == ["2025-01-01"]


def test_metrics_may_be_blank() -> None:
    draw = Random(3)
    made = "".join(TABLES["metrics"].template(draw, "futures/um") for _ in range(500))
    assert re.search(r',"",', made)
