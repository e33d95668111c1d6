"""The rows of each type that can be generated. Each file is one type, of one shape."""

from lakebed.archive.keys import KLINE_TYPES
from lakebed.archive.tables.agg_trades import AggTrades
from lakebed.archive.tables.funding_rate import FundingRate
from lakebed.archive.tables.klines import Klines
from lakebed.archive.tables.metrics import Metrics
from lakebed.archive.tables.table import Table
from lakebed.archive.tables.trades import Trades

TABLES: dict[str, Table] = {
    **dict.fromkeys(KLINE_TYPES, Klines()),
    "aggTrades": AggTrades(),
    "trades": Trades(),
    "fundingRate": FundingRate(),
    "metrics": Metrics(),
}
