"""A statement that is compiled once and executed for many rows."""

from collections.abc import Iterable

from sqlalchemy import Connection, Engine, RowMapping, Select
from sqlalchemy.sql.dml import UpdateBase

Values = dict[str, str | bytes | int | float | None]
"""One row, by the names of its parameters: what both drivers take as it is."""


class Prepared:
    """Hands rows straight to the driver. SQLAlchemy would prepare each row again, which costs
    twice what SQLite then needs to write it."""

    def __init__(
        self, engine: Engine, statement: UpdateBase, columns: Iterable[str] | None = None
    ) -> None:
        """`columns`: those that an INSERT fills; None: all."""
        compiled = statement.compile(engine, column_keys=None if columns is None else list(columns))
        self._text = str(compiled)
        self._fixed: dict[str, object] = {
            name: value for name, value in compiled.params.items() if value is not None
        }

    def execute(self, connection: Connection, rows: list[Values]) -> int:
        """How many rows it changed."""
        if not rows:
            return 0
        return connection.exec_driver_sql(self._text, [self._fixed | row for row in rows]).rowcount


class PreparedQuery:
    """The same for a SELECT of one row. Its values are as the driver gives them: SQLite's truth is
    0 or 1."""

    def __init__(self, engine: Engine, query: "Select[tuple[object, ...]]") -> None:
        compiled = query.compile(engine)
        self._text, self._fixed = str(compiled), dict(compiled.params)

    def first(self, connection: Connection, values: Values) -> RowMapping | None:
        result = connection.exec_driver_sql(self._text, {**self._fixed, **values})
        return result.mappings().first()
