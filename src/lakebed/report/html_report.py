"""The report of an operation as one HTML page that fetches nothing and runs only what is in it."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from lakebed import __version__
from lakebed.model.operation import Kind, OperationState, Request
from lakebed.model.quantity import format_duration, format_size
from lakebed.model.report import Bin, Report
from lakebed.operations.request_json import options_record
from lakebed.report import sentences
from lakebed.report.advice import advice
from lakebed.report.json_report import Row
from lakebed.report.text_report import Told, counted, headline, printable, reason

REFUSED = 200
"""Refused objects that are named on the page; all are in the JSON report."""
_HERE = Path(__file__).parent


def lines(report: Report, rows: Iterable[Row]) -> Iterator[str]:
    """Keys and messages are anybody's: the template escapes them, and so does the data."""
    page = _template().render(
        report=report,
        summary=report.summary,
        request=report.request,
        headline=headline(report.summary, Told(report.request.kind, report.resumed)),
        unfinished=report.summary.state in (OperationState.RUNNING, OperationState.QUEUED),
        figures=_figures(report),
        options=_changed(report.request),
        refused=list(islice(rows, REFUSED)),
        plots=_plots(report),
        say=sentences,
        advice=advice,
        reason=reason,
        version=__version__,
        style=_asset("vendor/uPlot.min.css", "page/page.css"),
        script=_asset("vendor/LICENSE", "vendor/uPlot.iife.min.js", "page/page.js"),
        hash=_hash,
    )
    yield from page.split("\n")


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": lambda number: f"{number:,}",
        "size": format_size,
        "took": sentences.took,
        "moment": _moment,
        "shown": printable,
        "together": lambda text: re.sub(r"(?<=\d) (?=[A-Za-z]{1,3}\b|%)", "\u00a0", text),
        "share": lambda part, whole: round(100 * part / whole, 1) if whole else 0,
    }
    environment.globals["counted"] = counted
    return environment.get_template("page.html")


def _moment(seconds: float | None) -> str:
    if seconds is None:
        return "not yet"
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _asset(*names: str) -> Markup:
    """Files of ours as they are: nothing in them is anybody's. A licence goes as a comment."""
    texts = [(_HERE / name).read_text(encoding="utf-8").strip() for name in names]
    return Markup(
        "\n".join(
            f"/*\n{text}\n*/" if name.endswith("LICENSE") else text
            for name, text in zip(names, texts, strict=True)
        )
    )


def _hash(text: str) -> str:
    """How the page's own policy names what may run and what may style it."""
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _figures(report: Report) -> list[tuple[str, str]]:
    """What is told first, largest: a label and a number."""
    summary = report.summary
    figures = [
        ("proved" if report.request.kind is Kind.VERIFY else "copied", f"{report.objects:,}"),
        ("size", format_size(report.bytes)),
        ("duration", format_duration(summary.seconds)),
        ("skipped", f"{summary.skipped:,}"),
        ("failed", f"{summary.failed:,}"),
        ("quarantined", f"{summary.quarantined:,}"),
    ]
    seldom = {
        "deleted": summary.deleted,
        "extra": summary.extra,
        "half pairs": summary.halves,
        "left": summary.pending,
    }
    return figures + [(label, f"{count:,}") for label, count in seldom.items() if count]


def _changed(request: Request) -> dict[str, object]:
    """The options that are not at their defaults, those of filters among them."""
    asked = _flat(options_record(request))
    usual = _flat(options_record(Request(request.source, request.destination)))
    return {name: value for name, value in asked.items() if value != usual.get(name)}


def _flat(options: Mapping[str, object]) -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in options.items():
        flat |= _flat(value) if isinstance(value, Mapping) else {name: value}
    return flat


def _plots(report: Report) -> dict[str, object]:
    """What the script draws, by the id of its place on the page."""
    return {
        "bytes": _steps(report.throughput, [sentences.rate(one) for one in report.throughput]),
        "objects": _steps(
            report.throughput, [one.objects / (one.end - one.start) for one in report.throughput]
        ),
        "sizes": _bars(report.sizes, sentences.size_bin),
        "durations": _bars(report.durations, sentences.duration_bin),
    }


def _steps(bins: Sequence[Bin], rates: Sequence[float]) -> dict[str, object]:
    return {"edges": [0.0, *(one.end for one in bins)], "rates": rates}


def _bars(bins: Sequence[Bin], name: Callable[[Bin], str]) -> dict[str, object]:
    return {"names": [name(one) for one in bins], "counts": [one.objects for one in bins]}
