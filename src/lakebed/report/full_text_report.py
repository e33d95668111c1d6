"""The report of an operation, for a person at a terminal: aligned lines."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime

from lakebed.model.quantity import format_size
from lakebed.model.report import Bin, Report
from lakebed.report import sentences, text_report
from lakebed.report.advice import advice
from lakebed.report.json_report import Row
from lakebed.report.sentences import duration_bin, size_bin, took
from lakebed.report.text_report import Told, printable

BAR = 24
"""Characters of the longest bar."""
MOMENTS = 20
"""Lines of the throughput: neighbours are put together until there are no more."""

Bars = Sequence[tuple[str, int, int]]
"""What a bin is called, its objects, its bytes."""


def lines(report: Report, rows: Iterable[Row]) -> Iterator[str]:
    request, summary = report.request, report.summary
    yield printable(f"{request.kind} {request.source} → {request.destination}")
    yield f"  {'started':<12}{_time(report.started)}"
    yield f"  {'finished':<12}{_time(report.finished)}"
    yield from text_report.lines(summary, (), Told(request.kind, report.resumed, shown=0))
    if summary.message:
        yield f"  {'error':<12}{printable(summary.message)}"
    if report.sizes:
        yield from _bars(sentences.throughput(report), _moments(report.throughput))
        yield from _bars(sentences.sizes(report), _filled(report.sizes, size_bin))
        yield from _bars(sentences.durations(report), _filled(report.durations, duration_bin))
        yield from _slowest(report)
    if len(report.attempts) > 1:
        yield from _heading(sentences.attempts(report))
    yield from _causes(report)
    yield from _quarantines(report)


def merged(bins: Sequence[Bin], most: int) -> Sequence[Bin]:
    """At most so many bins of one width (the last may be narrower), with the same sums."""
    group = -(-len(bins) // most) or 1
    neighbours = [bins[first : first + group] for first in range(0, len(bins), group)]
    return [
        Bin(
            some[0].start,
            some[-1].end,
            sum(one.objects for one in some),
            sum(one.bytes for one in some),
        )
        for some in neighbours
    ]


def _moments(bins: Sequence[Bin]) -> Bars:
    return [(f"until {took(one.end)}", one.objects, one.bytes) for one in merged(bins, MOMENTS)]


def _filled(bins: Sequence[Bin], name: Callable[[Bin], str]) -> Bars:
    return [(name(one), one.objects, one.bytes) for one in bins if one.objects]


def _bars(title: str, bars: Bars) -> Iterator[str]:
    yield from _heading(title)
    most = max(objects for _, objects, _ in bars) or 1
    width = max(len(name) for name, _, _ in bars)
    for name, objects, size in bars:
        bar = "█" * round(BAR * objects / most)
        yield f"    {name:>{width}}  {bar:<{BAR}}  {objects:>10,}  {format_size(size):>10}"


def _slowest(report: Report) -> Iterator[str]:
    yield from _heading(f"The slowest took {took(report.slowest[0].seconds)}")
    for slow in report.slowest:
        yield f"    {took(slow.seconds):>10}  {format_size(slow.size):>10}  {printable(slow.key)}"


def _causes(report: Report) -> Iterator[str]:
    if not report.causes:
        return
    yield from _heading(sentences.causes(report))
    for cause in report.causes:
        yield f"    {cause.objects:>10,}  {cause.state}  {cause.error}: {advice(cause.error)}"
        for example in cause.examples:
            yield f"{'':16}{printable(example.key)}"
            message = text_report.reason(example.key, example.message)
            yield f"{'':18}{printable(message)}"


def _quarantines(report: Report) -> Iterator[str]:
    if not report.quarantines:
        return
    yield from _heading(sentences.quarantines(report))
    for entry in report.quarantines:
        yield f"    {_time(entry.since)}  {printable(str(entry.location))}"


def _heading(title: str) -> Iterator[str]:
    yield ""
    yield f"  {title}"


def _time(moment: float | None) -> str:
    if moment is None:
        return "not yet"
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S}"
