"""What pages are made with: templates that escape, filters for numbers, files as they are."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lakebed.model.quantity import format_size
from lakebed.report import sentences
from lakebed.report.text_report import counted, printable

_HERE = Path(__file__).parent
FILTERS: dict[str, Callable[..., object]] = {
    "count": lambda number: f"{number:,}",
    "size": format_size,
    "took": sentences.took,
    "shown": printable,
    "together": lambda text: re.sub(r"(?<=\d) (?=[A-Za-z]{1,3}\b|%)", "\u00a0", text),
    "share": lambda part, whole: round(100 * part / whole, 1) if whole else 0,
}


def environment(*folders: Path) -> Environment:
    """Templates of these folders: what they are given is escaped, and nothing may be missing."""
    made = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {**FILTERS, "moment": moment}
    made.globals["counted"] = counted
    return made


def moment(seconds: float | datetime | None) -> str:
    """`2026-05-08 12:00:00 UTC`."""
    if seconds is None:
        return "not yet"
    at = seconds if isinstance(seconds, datetime) else datetime.fromtimestamp(seconds, UTC)
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def asset(*names: str) -> str:
    """Files of the report's page, one after another. A licence goes as a comment."""
    texts = [(_HERE / name).read_text(encoding="utf-8").strip() for name in names]
    return "\n".join(
        f"/*\n{text}\n*/" if name.endswith("LICENSE") else text
        for name, text in zip(names, texts, strict=True)
    )


STYLE = ("vendor/uPlot.min.css", "page/page.css")
PLOTS = ("vendor/LICENSE", "vendor/uPlot.iife.min.js", "page/plots.js")
"""What any page with plots needs before its own script."""
