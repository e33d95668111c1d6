"""The end of an operation, for a person: aligned lines."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from lakebed.model.operation import Kind, ObjectState, OperationState, Summary
from lakebed.model.pair import archive_of, is_sidecar
from lakebed.model.quantity import format_duration, format_size
from lakebed.report.json_report import Row

SHOWN = 20
"""Objects that are named; the rest are a command away."""
_LABEL = 12
_RESUMABLE = (
    OperationState.INTERRUPTED,
    OperationState.FAILED,
    OperationState.PARTIAL,
    OperationState.QUARANTINED,
)


def lines(summary: Summary, rows: Iterable[Row], kind: Kind = Kind.SYNC) -> Iterator[str]:
    """What was done, how it was proved, what was not done and why, and how to go on."""
    yield headline(summary, kind)
    counts = {
        "deleted": summary.deleted,
        "unchanged": summary.skipped,
        "extra": summary.extra,
        "half pairs": summary.halves,
        "left": summary.pending,
    }
    for label, count in counts.items():
        if count:
            yield _line(label, f"{count:,}")
    yield from _tally("proved by", summary.proofs)
    yield from _tally("lanes", summary.lanes)
    yield from _refused(summary, rows)
    yield _line("operation", f"{summary.operation_id} {summary.state}")
    if summary.state in _RESUMABLE:
        label = "go on" if summary.pending or summary.error else "try again"
        yield _line(label, f"lakebed resume {summary.operation_id}")


def headline(summary: Summary, kind: Kind) -> str:
    """`Copied 12 of 14 objects, 1.5 MiB in 2.0 s, 0.8 MiB/s`."""
    took = format_duration(summary.seconds)
    if kind is Kind.VERIFY:
        return f"Verified {sum(summary.proofs.values()):,} of {_objects(summary.listed)} in {took}"
    rate = f", {format_size(summary.bytes / summary.seconds)}/s" if summary.seconds else ""
    return (
        f"Copied {summary.copied:,} of {_objects(summary.listed)}, "
        f"{format_size(summary.bytes)} in {took}{rate if summary.bytes else ''}"
    )


def _objects(count: int) -> str:
    return f"{count:,} object{'' if count == 1 else 's'}"


def _tally(label: str, counts: Mapping[str, int]) -> Iterator[str]:
    if counts:
        most_first = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        yield _line(label, ", ".join(f"{name} {count:,}" for name, count in most_first))


def _refused(summary: Summary, rows: Iterable[Row]) -> Iterator[str]:
    if summary.failed:
        yield _line("failed", f"{summary.failed:,}")
    if summary.quarantined:
        yield _line("quarantined", f"{summary.quarantined:,}")
    if not (summary.failed or summary.quarantined):
        return
    shown = list(islice(rows, SHOWN))
    for state in (ObjectState.FAILED, ObjectState.QUARANTINED):
        yield from failures(row for row in shown if row.state is state)
    more = summary.failed + summary.quarantined - len(shown)
    if more > 0:
        yield f"    and {more:,} more: lakebed operations {summary.operation_id}"


def _row(row: Row) -> Iterator[str]:
    yield f"    {row.state}  {printable(row.key)}"
    yield f"      {printable(reason(row.key, row.message or row.error or ''))}"


def reason(key: str, message: str) -> str:
    """`message` without the key that is named beside it; a sidecar's speaks of its archive."""
    own = message.removeprefix(f"{key}: ")
    return own.removeprefix(f"{archive_of(key)}: ") if is_sidecar(key) else own


def printable(text: str) -> str:
    """`text` without what would steer a terminal: keys are anybody's."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _line(label: str, text: str) -> str:
    return f"  {label:<{_LABEL}}{printable(text)}"


def failures(rows: Iterable[Row]) -> Iterator[str]:
    """Every object that was refused; the halves of a pair that share their reason as one."""
    before: Row | None = None
    for row in rows:
        if before is not None and _is_other_half(row, before):
            continue
        yield from _row(row)
        before = row


def _is_other_half(row: Row, archive: Row) -> bool:
    return (
        is_sidecar(row.key)
        and archive_of(row.key) == archive.key
        and row.state is archive.state
        and reason(row.key, row.message or "") == reason(archive.key, archive.message or "")
    )
