"""The key of one archive in Binance's public bucket, read and written by its layout.

    data/{market}/{frequency}/{type}/{symbol}/[{interval}/]{symbol}-{interval or type}-{period}.zip

Four types of one symbol, interval and day share one file name, so only the whole key is a name.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

from lakebed.errors import UsageError

DAILY, MONTHLY = "daily", "monthly"
_ROOT, _SUFFIX = "data/", ".zip"

KLINE_TYPES = frozenset({"klines", "markPriceKlines", "indexPriceKlines", "premiumIndexKlines"})
"""The types that have an interval."""

DAILY_INTERVALS = frozenset(
    ("1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d")
)
INTERVALS = {DAILY: DAILY_INTERVALS, MONTHLY: DAILY_INTERVALS | {"3d", "1w", "1mo"}}

_BOTH = frozenset({DAILY, MONTHLY})
_ONLY_DAILY, _ONLY_MONTHLY = frozenset({DAILY}), frozenset({MONTHLY})
_SPOT = {"klines": _BOTH, "aggTrades": _BOTH, "trades": _BOTH}
_FUTURES = {
    **dict.fromkeys(KLINE_TYPES, _BOTH),
    "aggTrades": _BOTH,
    "trades": _BOTH,
    "fundingRate": _ONLY_MONTHLY,
    "metrics": _ONLY_DAILY,
    "bookDepth": _ONLY_DAILY,
    "bookTicker": _BOTH,
    "liquidationSnapshot": _ONLY_DAILY,
}
TYPES = {
    "spot": _SPOT,
    "futures/um": _FUTURES,
    "futures/cm": _FUTURES,
    "option": {"BVOLIndex": _ONLY_DAILY, "EOHSummary": _ONLY_DAILY},
}
"""Each market's types, and how often each is published; some are withdrawn, and may be kept."""

_PERIOD = {DAILY: re.compile(r"\d{4}-\d\d-\d\d", re.A), MONTHLY: re.compile(r"\d{4}-\d\d", re.A)}
_KEY = re.compile(
    r"data/(?P<market>spot|futures/um|futures/cm|option)/(?P<frequency>daily|monthly)"
    r"/(?P<type>[^/]+)/(?P<symbol>[^/]+)/(?:(?P<interval>[^/]+)/)?(?P<file>[^/]+)\.zip",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True, order=True)
class ArchiveKey:
    """One archive. `interval` is empty but for klines; `period` is `2026-05-08` or `2026-05`.

    Raises UsageError for a combination that the layout does not have.
    """

    market: str
    frequency: str
    type: str
    symbol: str
    interval: str
    period: str

    def __post_init__(self) -> None:
        if not self._is_published() or not self._has_symbol():
            raise UsageError("not a key of the archive", subject=ascii(self._text()))
        if not _PERIOD[self.frequency].fullmatch(self.period) or not _is_date(self.period):
            raise UsageError(f"not a {self.frequency} period", subject=ascii(self.period))

    def _is_published(self) -> bool:
        if self.frequency not in TYPES.get(self.market, {}).get(self.type, frozenset()):
            return False
        if self.type not in KLINE_TYPES:
            return self.interval == ""
        known = self.interval in INTERVALS[self.frequency]
        return known and (self.interval != "1s" or self.market == "spot")

    def _has_symbol(self) -> bool:
        """Any text that is one part of a path: real symbols are Chinese."""
        surrogate = any("\ud800" <= character <= "\udfff" for character in self.symbol)
        return self.symbol not in ("", ".", "..") and "/" not in self.symbol and not surrogate

    @classmethod
    def parse(cls, key: str) -> Self | None:
        """Read the key of an archive; None where it is anything else: an opaque key."""
        match = _KEY.fullmatch(key)
        if match is None:
            return None
        parts = match.groupdict(default="")
        stem = parts.pop("file")
        period = stem.removeprefix(f"{parts['symbol']}-{parts['interval'] or parts['type']}-")
        try:
            parsed = cls(**parts, period=period)
        except UsageError:
            return None
        return parsed if str(parsed) == key else None

    @property
    def stem(self) -> str:
        """The name of the file and of its one member, without `.zip` and `.csv`."""
        return f"{self.symbol}-{self.interval or self.type}-{self.period}"

    @property
    def start(self) -> date:
        """The first day that the archive covers (UTC)."""
        return date.fromisoformat(_first_day(self.period))

    @property
    def end(self) -> date:
        """The day after the last one."""
        if self.frequency == DAILY:
            return self.start + timedelta(days=1)
        return (self.start + timedelta(days=31)).replace(day=1)

    def _text(self) -> str:
        folders = (self.market, self.frequency, self.type, self.symbol, self.interval)
        return _ROOT + "/".join((*filter(None, folders), self.stem)) + _SUFFIX

    def __str__(self) -> str:
        return self._text()


def _first_day(period: str) -> str:
    return period if len(period) == len("2026-05-08") else f"{period}-01"


def _is_date(period: str) -> bool:
    try:
        date.fromisoformat(_first_day(period))
    except ValueError:
        return False
    return True
