"""`lakebed plan SOURCE DESTINATION`."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import typer

from lakebed.cli.command import Command
from lakebed.cli.flatten import flatten
from lakebed.cli.options import (
    Common,
    Comparison,
    Deletion,
    Destination,
    Limits,
    Output,
    Selection,
    Source,
    Transfer,
)
from lakebed.cli.output import emit, say
from lakebed.cli.request import options
from lakebed.cli.session import place, session, warn_of_nothing
from lakebed.model.operation import Decision, Request
from lakebed.model.pair import archive_of, is_sidecar
from lakebed.model.quantity import format_size
from lakebed.report.text_report import printable

if TYPE_CHECKING:
    from lakebed.cli.platform import Planned


def register(app: typer.Typer) -> None:
    app.command(cls=Command)(flatten(plan))


def plan(
    source: Source,
    destination: Destination,
    selection: Selection,
    comparison: Comparison,
    deletion: Deletion,
    transfer: Transfer,
    limits: Limits,
    output: Output,
    common: Common,
) -> None:
    """Say what sync would do: copy, skip, changed, extra. Nothing is written.

    Skipped objects are only counted, unless -v or --json asks for them.
    """
    request = Request(
        place(source, common),
        place(destination, common),
        options=options(selection, comparison, limits, transfer, deletion),
    )
    show_plan(request, output, common)


def show_plan(request: Request, output: Output, common: Common) -> None:
    """Print each decision as it is made, and how many there were."""
    objects: Counter[Decision] = Counter()
    sizes: Counter[Decision] = Counter()
    deleted = 0
    with session(common) as opened:
        for planned, stays in _with_halves(opened.platform.plan(request)):
            delete = request.options.delete and planned.decision is Decision.EXTRA and not stays
            deleted += delete
            objects[planned.decision] += 1
            sizes[planned.decision] += planned.size
            if output.json:
                read = emit(
                    {
                        "event": "decision",
                        "decision": planned.decision,
                        "key": planned.key,
                        "size": planned.size,
                        "reason": planned.reason,
                    }
                )
            elif planned.decision is not Decision.SKIP or common.verbose:
                word = "delete" if delete else planned.decision
                line = f"{word:<8}{format_size(planned.size):>11}  {planned.key}"
                reason = f"  ({planned.reason})" if planned.reason else ""
                read = say(printable(line + reason))
            else:
                read = True
            if not read:
                return
        listed = sum(objects.values()) - objects[Decision.EXTRA]
        if not listed:
            warn_of_nothing(request.source, request.options.filters)
    if output.json:
        emit(
            {"event": "summary"} | {str(d): objects[d] for d in Decision} | {"bytes": _moved(sizes)}
        )
    elif not common.quiet:
        tail = f", {deleted:,} of them to be deleted" if deleted else ""
        say(", ".join(f"{objects[decision]:,} {decision}" for decision in Decision) + tail)
        say(f"{format_size(_moved(sizes))} to copy")
        if deleted and (why := _kept_back(request, listed, objects[Decision.EXTRA])):
            say(f"nothing would be deleted: {why}")


def _kept_back(request: Request, listed: int, extra: int) -> str:
    """Why a run would delete nothing at all, for what is known only at the end; or nothing."""
    most = request.options.max_delete
    if not listed:
        return "the source lists no object"
    return f"--max-delete is {most}" if most is not None and extra > most else ""


def _with_halves(decisions: "Iterable[Planned]") -> "Iterator[tuple[Planned, bool]]":
    """Each decision, and whether the source has the other half of its pair, which keeps it."""
    before: Planned | None = None
    kept = False
    for planned in decisions:
        if before is not None:
            other = _other_half(before, planned)
            yield before, kept or (other and planned.decision is not Decision.EXTRA)
            kept = other and before.decision is not Decision.EXTRA
        before = planned
    if before is not None:
        yield before, kept


def _other_half(archive: "Planned", sidecar: "Planned") -> bool:
    """The halves of a pair are decided one after the other, the archive first."""
    return is_sidecar(sidecar.key) and archive_of(sidecar.key) == archive.key


def _moved(sizes: Counter[Decision]) -> int:
    return sizes[Decision.COPY] + sizes[Decision.CHANGED]
