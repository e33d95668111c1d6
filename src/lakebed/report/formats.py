"""The forms that a report takes: one file each, of one shape."""

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from pathlib import Path

from lakebed.model.report import Report
from lakebed.report.json_report import Row

Render = Callable[[Report, Iterable[Row]], Iterator[str]]
"""The lines of a report; the rows are all objects that it refused, in key order."""


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"
    HTML = "html"


def format_of(path: Path, other: Format) -> Format:
    """What the end of the name says; `other` where it says nothing."""
    by_suffix = {".html": Format.HTML, ".htm": Format.HTML, ".json": Format.JSON}
    return by_suffix.get(path.suffix.lower(), other)


def renderer(chosen: Format) -> Render:
    """Imported only where it is used: a page needs more than a line."""
    if chosen is Format.HTML:
        from lakebed.report import html_report

        return html_report.lines
    if chosen is Format.JSON:
        from lakebed.report import json_report

        return json_report.lines
    from lakebed.report import full_text_report

    return full_text_report.lines
