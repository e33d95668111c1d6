"""The page of the JSON lines names what commands print."""

import json
import re
from collections.abc import Iterator

import pytest

from lakebed.cli.display.events import Events
from lakebed.model.operation import OperationState, Summary
from lakebed.operations.watch import Snapshot
from lakebed.report.text_report import Told
from tests.docs.pages import DOCS, ROOT, text_of, words

PAGE = DOCS / "events.md"
_SOURCE = ROOT / "src" / "lakebed"
PRINTING = sorted(page for part in ("cli", "report") for page in (_SOURCE / part).rglob("*.py"))


def _rows() -> Iterator[tuple[str, str, set[str]]]:
    """Event, commands and fields of each row."""
    for line in text_of(PAGE).splitlines():
        if line.startswith("| `"):
            event, of, fields = line.strip("| ").split(" | ")
            yield event, of, set(re.findall("`([^`]+)`", fields))


def _fields(event: str) -> set[str]:
    """Those of an event of `sync`."""
    return next(fields for name, of, fields in _rows() if (name, "`sync`" in of) == (event, True))


def test_each_event_of_a_command_has_its_row() -> None:
    printed = {
        event
        for source in PRINTING
        for event in re.findall(r'"event": "([a-z-]+)"', source.read_text(encoding="utf-8"))
    }
    assert {"started", "progress", "decision", "released"} <= printed
    assert printed <= words(PAGE)


def test_a_run_prints_the_fields_shown(capsys: pytest.CaptureFixture[str]) -> None:
    events = Events(every=0)
    events.started("1M7")
    events.progress(Snapshot(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, False, 0, 0.0))
    events.finished(Summary("1M7", OperationState.COMPLETED, 0, 0, 0, 0, 0, 0, 0, 0.0), (), Told())
    for line in map(json.loads, capsys.readouterr().out.splitlines()):
        assert line.keys() - {"event"} == _fields(f"`{line['event']}`")
