"""The report of an operation as one HTML page that fetches nothing and runs only what is in it."""

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from pathlib import Path

from jinja2 import Template
from markupsafe import Markup

from lakebed import __version__
from lakebed.model.operation import Kind, OperationState, Request
from lakebed.model.quantity import format_duration, format_size
from lakebed.model.report import Bin, Report
from lakebed.operations.request_json import options_record
from lakebed.report import sentences
from lakebed.report.advice import advice
from lakebed.report.json_report import Row
from lakebed.report.templates import PLOTS, STYLE, asset, environment
from lakebed.report.text_report import Told, headline, reason

REFUSED = 200
"""Refused objects that are named on the page; all are in the JSON report."""


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
        # Files of ours: nothing in them is anybody's.
        style=Markup(asset(*STYLE)),
        script=Markup(asset(*PLOTS, "page/page.js")),
        hash=_hash,
    )
    yield from page.split("\n")


@cache
def _template() -> Template:
    return environment(Path(__file__).with_name("page")).get_template("page.html")


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
