"""What an archive shall hold, and in which order its files are thought of."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date, timedelta
from itertools import count, islice

from lakebed.archive.keys import MONTHLY, ArchiveKey
from lakebed.archive.tables import TABLES
from lakebed.archive.tables.table import MICROSECOND_ERA
from lakebed.errors import UsageError


@dataclass(frozen=True, slots=True)
class Series:
    """One line of files: a type of one market, for each symbol and period."""

    market: str
    frequency: str
    type: str
    interval: str = ""

    def key(self, symbol: str, day: date) -> ArchiveKey:
        period = f"{day:%Y-%m}" if self.frequency == MONTHLY else f"{day:%Y-%m-%d}"
        name = symbol.replace("USDT", "USD_PERP") if self.market == "futures/cm" else symbol
        return ArchiveKey(self.market, self.frequency, self.type, name, self.interval, period)


SYMBOLS = ("BTCUSDT", "ETHUSDT", "1000SHIBUSDT", "币安人生USDT")

SERIES = (
    Series("spot", "daily", "klines", "1h"),
    Series("spot", "daily", "klines", "15m"),
    Series("spot", "daily", "aggTrades"),
    Series("spot", "daily", "trades"),
    Series("futures/um", "daily", "klines", "5m"),
    Series("futures/um", "daily", "aggTrades"),
    Series("futures/um", "daily", "trades"),
    Series("futures/um", "daily", "metrics"),
    Series("futures/um", "monthly", "fundingRate"),
    Series("futures/cm", "daily", "aggTrades"),
)

_MOST_DAYS = 3000
"""Then symbols are invented, so that an archive can have any size."""
_EACH = 7
"""Of so many files in a row at most one is corrupt, one missing, one halved, one replaced."""


@dataclass(frozen=True, slots=True)
class Spec:
    """The archive ends with the first of `days`, `pairs` and `bytes` that is reached.

    `bytes` and `large` in bytes; `large` adds one monthly file of about that size. `corrupt`
    archives do not match their CHECKSUM, `holes` are days left out, `halves` sidecars without
    their archive. With `replace` only that many pairs are made, as their publisher would make
    them when it replaces them: other rows, as `revision` says. Raises UsageError.
    """

    seed: int = 0
    days: int | None = None
    pairs: int | None = None
    bytes: int | None = None
    symbols: tuple[str, ...] = SYMBOLS
    series: tuple[Series, ...] = SERIES
    large: int = 0
    corrupt: int = 0
    holes: int = 0
    halves: int = 0
    replace: int = 0
    revision: int = 1

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, int) and value < 0 and field.name != "seed":
                raise UsageError("must not be negative", subject=field.name)
        if self.days is None and self.pairs is None and self.bytes is None:
            raise UsageError("the archive has no end", advice="give days, pairs or bytes")
        if self.days is not None and self.days > _MOST_DAYS:
            raise UsageError(f"at most {_MOST_DAYS} days", subject="days", advice="give pairs")
        unknown = {series.type for series in self.series} - TABLES.keys()
        if unknown or not self.series or not self.symbols:
            raise UsageError(
                "nothing that can be generated",
                subject=", ".join(sorted(unknown)),
                advice=f"types are {', '.join(sorted(TABLES))}",
            )
        if self.replace and self.revision < 2:
            raise UsageError("a replaced file is of revision 2 or later", subject="revision")

    def ends_at(self, pairs: int, size: int) -> bool:
        """Whether an archive of so many pairs and bytes is complete."""
        return (self.pairs is not None and pairs >= self.pairs) or (
            self.bytes is not None and size >= self.bytes
        )


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file of the archive, and what is wrong with it. `size` 0: as its type or chance says."""

    key: ArchiveKey
    size: int = 0
    corrupt: bool = False
    half: bool = False
    replaced: bool = False


_LARGE = Series("spot", MONTHLY, "trades")


def candidates(spec: Spec) -> Iterator[Candidate]:
    """Each file; endless, but for `spec.days`. The large file, where asked for, is the first."""
    if spec.large:
        month = MICROSECOND_ERA - timedelta(days=1)
        yield Candidate(_LARGE.key(spec.symbols[0], month), size=spec.large)
    for number, key in enumerate(_keys(spec)):
        nth, place = divmod(number, _EACH)
        if place == 5 and nth < spec.holes:
            continue
        yield Candidate(
            key,
            corrupt=place == 3 and nth < spec.corrupt,
            half=place == 6 and nth < spec.halves,
            replaced=place == 1 and nth < spec.replace,
        )


def _keys(spec: Spec) -> Iterator[ArchiveKey]:
    for cohort in count():
        symbols = spec.symbols if cohort == 0 else [f"{cohort}X{name}" for name in spec.symbols]
        for day in islice(_days(), spec.days if spec.days is not None else _MOST_DAYS):
            for symbol in symbols:
                for series in spec.series:
                    if series.frequency != MONTHLY or day.day == 1:
                        yield series.key(symbol, day)
        if spec.days is not None:
            return


def _days() -> Iterator[date]:
    """From where the eras meet in both directions, so that few days have files of both."""
    for step in count():
        yield MICROSECOND_ERA + timedelta(days=step)
        yield MICROSECOND_ERA - timedelta(days=step + 1)
