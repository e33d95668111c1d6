"""A case as a picture: a bar for each rival, the spread of its runs as a line."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import jinja2

from bench.cases.case import FLOORS, Figure
from bench.report.figures import OURS, Spread, spread
from bench.results import Measured

_PLOT = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    trim_blocks=True,
    keep_trailing_newline=True,
    undefined=jinja2.StrictUndefined,
).get_template("plot.svg.jinja")
_WIDTH, _NAMES, _TOP, _ROW = 800, 150, 26, 26
_BAR, _PANEL = 235, 320
"""Pixels of the longest bar, and of a panel: the rest is for the number behind the bar."""
_PANELS = (Figure.WALL, Figure.CPU)


@dataclass(frozen=True, slots=True)
class Bar:
    """One median. Pixels from the left; the spread is a line from `least` to `most`."""

    left: float
    width: float
    least: float
    most: float
    text: str

    @property
    def after(self) -> float:
        return max(self.left + self.width, self.most) + 6


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    kind: str
    top: int
    bars: tuple[Bar, ...]


def plot(title: str, measured: Measured) -> str:
    """An SVG that reads on a light and on a dark page; the fastest is on top."""
    rows = list(_rows(measured))
    return _PLOT.render(
        title=title,
        width=_WIDTH,
        height=_TOP + _ROW * len(rows) + 6,
        names=_NAMES,
        panels=[(_left(n), f"{figure}, s") for n, figure in enumerate(_PANELS)],
        rows=rows,
    )


def _rows(measured: Measured) -> Iterator[Row]:
    panels = [_panel(measured, figure) for figure in _PANELS]
    longest = [max((one.most for one in panel.values()), default=1.0) for panel in panels]
    names = sorted(panels[0], key=lambda name: panels[0][name].middle)
    for number, name in enumerate(names):
        bars = (_bar(panel[name], _left(n), _BAR / longest[n]) for n, panel in enumerate(panels))
        yield Row(name, _kind(name), _TOP + _ROW * number, tuple(bars))


def _panel(measured: Measured, figure: Figure) -> dict[str, Spread]:
    found = {series.rival: spread(measured, series.rival, figure) for series in measured.series}
    return {name: one for name, one in found.items() if one}


def _bar(one: Spread, left: float, pixels: float) -> Bar:
    least, most = (round(left + end * pixels, 1) for end in (one.least, one.most))
    return Bar(left, round(one.middle * pixels, 1), least, most, seconds(one.middle))


def _left(panel: int) -> int:
    return _NAMES + panel * _PANEL


def _kind(name: str) -> str:
    if name == OURS[0]:
        return "ours"
    return "floor" if name in FLOORS else "other"


def seconds(value: float) -> str:
    """Three digits that mean something: 0.26, 1.82, 54.2, 1207."""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 1000 else f"{value:.0f}"
