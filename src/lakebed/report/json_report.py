"""The report of an operation in JSON; docs/report.md says what each name means."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Protocol

from lakebed.model.operation import ObjectState, Summary
from lakebed.model.quarantine import Quarantined
from lakebed.model.report import Report

JsonValue = str | int | float | None | Mapping[str, int]
FORMAT = 1
"""Grows when a name goes or changes its meaning; new names may come at any time."""


class Row(Protocol):
    """An object that failed or is in quarantine."""

    @property
    def key(self) -> str: ...
    @property
    def state(self) -> ObjectState: ...
    @property
    def error(self) -> str | None: ...
    @property
    def message(self) -> str | None: ...


def summary_event(summary: Summary) -> dict[str, JsonValue]:
    """The last event of `--json`, which is also the head of a report."""
    return {"event": "summary", **asdict(summary)}


def row_event(row: Row) -> dict[str, JsonValue]:
    return {"key": row.key, "state": row.state, "error": row.error, "message": row.message}


def quarantine_record(entry: Quarantined) -> dict[str, JsonValue]:
    return asdict(entry) | {"location": str(entry.location), "since": moment(entry.since)}


def moment(seconds: float | None) -> str | None:
    """ISO 8601 in UTC."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()


def lines(report: Report, rows: Iterable[Row]) -> Iterator[str]:
    """A row at a time: it is written in any length within little memory."""
    yield "{"
    for name, value in record(report).items():
        yield f"  {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)},"
    yield '  "objects": ['
    before = ""
    for row in rows:
        if before:
            yield f"{before},"
        before = f"    {json.dumps(row_event(row), ensure_ascii=False)}"
    if before:
        yield before
    yield "  ]"
    yield "}"


def record(report: Report) -> dict[str, object]:
    """All but the refused objects, which may be many."""
    # Pydantic is slow to import, and most commands never write a report.
    from lakebed.operations.request_json import options_record

    request = report.request
    told = asdict(report)
    return {
        "format": FORMAT,
        **asdict(report.summary),
        "kind": request.kind,
        "source": str(request.source),
        "destination": str(request.destination),
        "options": options_record(request),
        **{name: moment(told[name]) for name in ("created", "started", "finished", "told")},
        **{name: told[name] for name in _PLAIN},
        "quarantines": [quarantine_record(entry) for entry in report.quarantines],
    }


_PLAIN = ("resumed", "throughput", "sizes", "durations", "slowest", "attempts", "causes")
