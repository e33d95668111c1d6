"""A live line at the foot of a terminal."""

from types import TracebackType
from typing import TYPE_CHECKING, Self

from lakebed.cli.display.lines import Lines
from lakebed.cli.display.phrases import happening, phrases

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from lakebed.operations.watch import Snapshot, Value

WIDE = 100
"""Columns of a terminal that has room for the longer bar."""


class Terminal(Lines):
    """A bar and a line that are drawn anew; with -v each object scrolls by above."""

    def __init__(self, console: "Console", objects: bool = False) -> None:
        from rich.live import Live as Drawing

        super().__init__(objects=objects)
        self._console = console
        self._drawing = Drawing(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        self._drawing.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._drawing.stop()

    def started(self, operation_id: str) -> None:
        # On a line that stays: whoever stops it needs the name to go on.
        self._console.print(f"operation {operation_id} started", highlight=False)
        self._drawing.update("listing", refresh=True)

    def progress(self, live: "Snapshot") -> None:
        self._drawing.update(self._drawn(live), refresh=True)

    def event(self, kind: str, fields: "dict[str, Value]") -> None:
        if self._objects:
            line = happening(kind, fields)
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def _drawn(self, live: "Snapshot") -> "RenderableType":
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        columns = self._console.width
        cells = 24 if columns >= WIDE else 10
        bar = ProgressBar(max(live.planned_bytes, 1), live.bytes, width=cells)
        said = phrases(live, self._rate.of(live))
        text = Text(" · ".join(said), no_wrap=True)
        # One line and no more: of a second one, the first would stay on the screen.
        text.truncate(max(columns - cells - 4, 1), overflow="ellipsis")
        grid = Table.grid(padding=(0, 1))
        grid.add_row(bar, text)
        return grid
