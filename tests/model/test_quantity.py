"""Sizes, durations and moments as people write and read them."""

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakebed.errors import UsageError
from lakebed.model.quantity import (
    GIB,
    KIB,
    MAX_DURATION,
    MIB,
    TIB,
    format_duration,
    format_size,
    parse_duration,
    parse_moment,
    parse_size,
)

NOW = datetime(2026, 5, 8, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("10485760", 10 * MIB),
        ("100b", 100),
        ("64MiB", 64 * MIB),
        ("64M", 64 * MIB),
        ("64mb", 64 * MIB),
        (" 5 GiB ", 5 * GIB),
        ("1.5g", 3 * GIB // 2),
        ("1k", KIB),
        ("2TiB", 2 * TIB),
    ],
)
def test_a_size_is_written_with_binary_suffixes(text: str, size: int) -> None:
    assert parse_size(text) == size


@given(st.integers(0, 2**52))
def test_a_whole_number_of_bytes_is_that_size(size: int) -> None:
    assert parse_size(str(size)) == size
    assert parse_size(f"{size}B") == size


@pytest.mark.parametrize("text", ["", "MiB", "-1", "1,5M", "1e3", "1 2", "64X", "1.M", "64MM"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="64MiB"):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90.0),
        ("30s", 30.0),
        ("250ms", 0.25),
        ("5m", 300.0),
        ("1.5h", 5400.0),
        ("7d", 604800.0),
        ("1W", 604800.0),
    ],
)
def test_a_duration_is_written_with_one_unit(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "-1s", "1y", "1h30m", "soon"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="30s, 5m"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-05-08", datetime(2026, 5, 8, tzinfo=UTC)),
        ("2026-05-08T12:00", NOW),
        ("2026-05-08T12:00Z", NOW),
        ("2026-05-08T14:00+02:00", NOW),
        ("7d", NOW - timedelta(days=7)),
        ("90", NOW - timedelta(seconds=90)),
    ],
)
def test_a_moment_is_a_date_or_an_age(text: str, moment: datetime) -> None:
    assert parse_moment(text, NOW) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "7 days ago"])
def test_what_is_neither_a_date_nor_an_age_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="2026-05-08 or 7d"):
        parse_moment(text, NOW)


@pytest.mark.parametrize("text", ["9" * 400, "9" * 20, "8388608t", "9" * 400 + "k"])
def test_a_size_that_no_store_can_hold_is_refused_in_one_short_line(text: str) -> None:
    with pytest.raises(UsageError, match="too large") as refused:
        parse_size(text)
    assert len(str(refused.value)) < 200


def test_the_largest_size_is_one_byte_less_than_8_eib() -> None:
    assert parse_size("8388607t") == 8388607 * TIB


@pytest.mark.parametrize("text", ["99999999999999d", "36526d", "9" * 400])
def test_a_duration_that_no_clock_can_wait_for_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="too long") as refused:
        parse_duration(text)
    assert len(str(refused.value)) < 200


def test_the_longest_duration_is_a_hundred_years_which_a_thread_can_wait_for() -> None:
    assert parse_duration("36525d") == MAX_DURATION <= threading.TIMEOUT_MAX


def test_an_age_before_all_dates_is_refused_as_what_it_is() -> None:
    with pytest.raises(UsageError, match="too long"):
        parse_moment("9999999999d", NOW)


@given(
    st.datetimes(
        datetime(1970, 1, 2),
        datetime(2100, 1, 1),
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=8))]),
    )
)
def test_a_moment_is_read_back_as_it_was_written(moment: datetime) -> None:
    assert parse_moment(moment.isoformat(), NOW) == moment


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (KIB, "1.0 KiB"),
        (3 * MIB // 2, "1.5 MiB"),
        (5 * GIB, "5.0 GiB"),
        (2 * TIB, "2.0 TiB"),
        (4000 * TIB, "4000.0 TiB"),
    ],
)
def test_a_size_is_shown_in_the_unit_that_suits_it(size: int, text: str) -> None:
    assert format_size(size) == text


@given(st.integers(0, 2**50))
def test_a_shown_size_is_read_back_within_its_last_digit(size: int) -> None:
    assert abs(parse_size(format_size(size)) - size) <= max(size, 1) * 0.051


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (0.84, "0.8 s"),
        (42.4, "42 s"),
        (59.6, "1 min 00 s"),
        (185, "3 min 05 s"),
        (7800, "2 h 10 min"),
        (360000, "100 h 00 min"),
    ],
)
def test_a_duration_is_shown_in_the_units_that_suit_it(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text
