"""The words of a progress line."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lakebed.model.quantity import format_duration, format_size
from lakebed.report.text_report import printable, reason

if TYPE_CHECKING:
    from lakebed.operations.watch import Snapshot, Value


def phrases(live: "Snapshot", rate: float) -> list[str]:
    """Objects, rate, time left, bytes, in flight, retries, what went wrong: what there is of it.

    The end of a line may be cut, so what matters most comes first. A total that may
    still grow is marked, and tells no time.
    """
    ended = live.done + live.failed + live.quarantined + live.deleted
    more = "+" if live.listing else ""
    found = [f"{ended:,} of {live.planned:,}{more} objects"]
    if rate > 0:
        found.append(f"{format_size(rate)}/s")
    left = live.planned_bytes - live.bytes
    if rate > 0 and left > 0 and not live.listing:
        found.append(f"{format_duration(left / rate)} left")
    if live.planned_bytes:
        found.append(f"{format_size(live.bytes)} of {format_size(live.planned_bytes)}{more}")
    counts = {
        "unchanged": live.skipped,
        "in flight": live.in_flight,
        "retries": live.retries,
        "failed": live.failed,
        "quarantined": live.quarantined,
    }
    found += [f"{count:,} {name}" for name, count in counts.items() if count]
    return found


def happening(kind: str, fields: "Mapping[str, Value]") -> str:
    """One object's fate, in one line."""
    key = str(fields.get("key", ""))
    why = reason(key, str(fields.get("message") or fields.get("error") or ""))
    return printable(f"{kind:<12}{key}" + (f": {why}" if why else ""))
