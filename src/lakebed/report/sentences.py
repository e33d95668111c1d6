"""What the numbers of a report say, in one sentence each: the titles of its tables and plots."""

from collections.abc import Sequence

from lakebed.model.operation import Proof
from lakebed.model.quantity import format_duration, format_size
from lakebed.model.report import Bin, Report
from lakebed.report.text_report import counted

HALF, NEARLY_ALL = 0.5, 0.95


def throughput(report: Report) -> str:
    """`12.0 MiB/s on average, 20.0 MiB/s at its best`."""
    if not report.throughput:
        return "Nothing was moved"
    seconds = report.throughput[-1].end if report.resumed else report.summary.seconds
    average = report.bytes / max(seconds, 0.001)
    best = max(rate(one) for one in report.throughput)
    said = f"{format_size(average)}/s on average, {format_size(best)}/s at its best"
    return f"{said}, pauses between its runs included" if report.resumed else said


def sizes(report: Report) -> str:
    return f"Half of {counted(report.objects)} are smaller than {_size(_edge(report.sizes, HALF))}"


def durations(report: Report) -> str:
    half, most = (_edge(report.durations, share) for share in (HALF, NEARLY_ALL))
    return f"Half of the objects took less than {took(half)}, 95 % less than {took(most)}"


def proofs(report: Report) -> str:
    proved = report.summary.proofs
    published = proved.get(Proof.PUBLISHER_SHA256, 0)
    said = f"{counted(sum(proved.values()))} proved"
    return f"{said}, {published:,} of them by the publisher's own digest" if published else said


def attempts(report: Report) -> str:
    settled = sum(report.attempts.values())
    again = settled - report.attempts.get(1, 0)
    return f"{again:,} of {counted(settled)} took more than one attempt"


def causes(report: Report) -> str:
    refused = sum(one.objects for one in report.causes)
    reasons = len({one.error for one in report.causes})
    return f"{counted(refused)} refused, for {counted(reasons, 'reason')}"


def quarantines(report: Report) -> str:
    return f"{counted(len(report.quarantines), 'pair')} in quarantine, with the evidence"


def rate(one: Bin) -> float:
    """Bytes per second."""
    return one.bytes / (one.end - one.start)


def took(seconds: float) -> str:
    """`16 ms`, `1.0 s`, `3 min 05 s`."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else format_duration(seconds)


def size_bin(one: Bin) -> str:
    """`64 KiB to 128 KiB`; a bin of empty objects is `0 B`."""
    return f"{_size(one.start)} to {_size(one.end)}" if one.start else "0 B"


def duration_bin(one: Bin) -> str:
    return f"{took(one.start)} to {took(one.end)}"


def _size(size: float) -> str:
    return format_size(size).replace(".0 ", " ")


def _edge(bins: Sequence[Bin], share: float) -> float:
    """Where at least this share of the objects is below."""
    wanted = share * sum(one.objects for one in bins)
    below = 0
    for one in bins:
        below += one.objects
        if below >= wanted:
            return one.end
    return 0.0
