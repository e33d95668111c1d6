"""The end of an operation, for a person: aligned lines."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from lakebed.errors import Exit, exit_code_of
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


_UNFINISHED = (
    OperationState.RUNNING,
    OperationState.INTERRUPTED,
    OperationState.CANCELLED,
    OperationState.FAILED,
)
"""States in which a listing may have been left in its middle."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the summary does not say of an operation, and how much of it is to be told."""

    kind: Kind = Kind.SYNC
    resumed: bool = False
    """There were several runs: its bytes and its seconds make no rate."""
    shown: int | None = SHOWN
    """How many refused objects are named; None: each, in key order."""


def lines(summary: Summary, rows: Iterable[Row], told: Told = Told()) -> Iterator[str]:
    """What was done, how it was proved, what was not done and why, and how to go on."""
    yield headline(summary, told)
    counts = {
        "deleted": summary.deleted,
        "skipped": summary.skipped,
        "extra": summary.extra,
        "half pairs": summary.halves,
        "not deleted" if _only_deletions_are_left(summary, told.kind) else "left": summary.pending,
    }
    for label, count in counts.items():
        if count:
            yield _line(label, f"{count:,}")
    yield from _tally("proved by", summary.proofs)
    yield from _tally("lanes", summary.lanes)
    if summary.note:
        yield _line("note", summary.note)
    if summary.reread_bytes:
        yield _line("read again", f"{format_size(summary.reread_bytes)} of parts that were kept")
    yield from _refused(summary, rows, told.shown)
    yield _line("operation", f"{summary.operation_id} {summary.state}")
    if summary.state in _RESUMABLE:
        label = "go on" if summary.pending or summary.error else "try again"
        yield _line(label, f"lakebed resume {summary.operation_id}")


def headline(summary: Summary, told: Told) -> str:
    """`Copied 12 of 14 objects, 1.5 MiB in 2.0 s, 0.8 MiB/s`."""
    took = format_duration(summary.seconds)
    unfinished = summary.state in _UNFINISHED
    listed = f"{summary.listed:,} listed so far" if unfinished else counted(summary.listed)
    if told.kind is Kind.VERIFY:
        return f"Verified {sum(summary.proofs.values()):,} of {listed} in {took}"
    said = f"Copied {summary.copied:,} of {listed}, {format_size(summary.bytes)} in {took}"
    if not (summary.seconds and summary.bytes) or told.resumed:
        return said
    return f"{said}, {format_size(summary.bytes / summary.seconds)}/s"


def counted(count: int, name: str = "object") -> str:
    """`1 object`, `1,234 objects`."""
    return f"{count:,} {name}{'' if count == 1 else 's'}"


def _only_deletions_are_left(summary: Summary, kind: Kind) -> bool:
    settled = summary.copied + summary.skipped + summary.failed + summary.quarantined
    return kind is Kind.SYNC and summary.extra > 0 and settled >= summary.listed


def never_began(summary: Summary) -> bool:
    """Refused before anything was listed: there is its error to be told, and nothing else."""
    usage = exit_code_of(summary.error or "") is Exit.USAGE
    return summary.state is OperationState.FAILED and not summary.listed and usage


def _tally(label: str, counts: Mapping[str, int]) -> Iterator[str]:
    if counts:
        most_first = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        yield _line(label, ", ".join(f"{name} {count:,}" for name, count in most_first))


def _refused(summary: Summary, rows: Iterable[Row], most: int | None) -> Iterator[str]:
    if summary.failed:
        yield _line("failed", f"{summary.failed:,}")
    if summary.quarantined:
        yield _line("quarantined", f"{summary.quarantined:,}")
    if not (summary.failed or summary.quarantined):
        return
    if most is None:
        yield from failures(rows)
    if not most:
        return
    shown = list(islice(rows, most))
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
    for name in (key, archive_of(key)) if is_sidecar(key) else (key,):
        subject, found, why = message.partition(f"{name}: ")
        # The subject may be the whole key, or a location: then a folder comes before.
        if found and ": " not in subject and (not subject or subject.endswith("/")):
            return why
    return message


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
