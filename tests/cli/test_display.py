"""The ways in which a running operation is shown."""

import io
import json
import os
from dataclasses import replace

import pytest
from rich.console import Console

from lakebed.cli import display, output
from lakebed.cli.display.display import Interval, Rate
from lakebed.cli.display.events import Events
from lakebed.cli.display.lines import Lines
from lakebed.cli.display.phrases import phrases
from lakebed.cli.display.quiet import Quiet
from lakebed.cli.display.terminal import Terminal
from lakebed.cli.options import Common, Output
from lakebed.report.text_report import Told

from .conftest import ID, SNAPSHOT, summary

MIB = 1024**2


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("common", "form", "expected"),
    [
        (Common(), Output(), Lines),
        (Common(quiet=True), Output(), Quiet),
        (Common(), Output(json=True), Events),
        (Common(quiet=True), Output(json=True), Events),
    ],
)
def test_where_no_terminal_is_lines_are_plain(common: Common, form: Output, expected: type) -> None:
    assert type(display.choose(common, form)) is expected


def test_a_terminal_gets_a_live_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", Tty())
    assert type(display.choose(Common(), Output())) is Terminal


def test_a_live_line_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    screen = Tty()
    console = Console(file=screen, force_terminal=True, width=120, no_color=True)
    shown = Terminal(console, objects=True)
    with shown:
        shown.started(ID)
        shown.progress(SNAPSHOT)
        shown.event("failed", {"key": "[red]x", "error": "store-fault"})
    text = screen.getvalue()
    assert f"operation {ID} started\n" in text
    assert "1 of 2 objects · 1.0 MiB/s · 3.0 s left · 1.0 MiB of 4.0 MiB" in text
    assert "failed      [red]x: store-fault" in text


def test_a_live_line_is_not_pushed_away_by_each_object() -> None:
    screen = Tty()
    with Terminal(Console(file=screen, force_terminal=True, width=120, no_color=True)) as shown:
        shown.event("copied", {"key": "quiet"})
    assert "quiet" not in screen.getvalue()


def test_a_phrase_is_there_only_where_there_is_something_to_say() -> None:
    still = replace(SNAPSHOT, planned_bytes=0, bytes=0, skipped=0, in_flight=0, retries=0)
    assert phrases(still, 0.0) == ["1 of 2 objects"]
    busy = replace(SNAPSHOT, failed=1, quarantined=2, deleted=3)
    assert phrases(busy, 1.5 * MIB) == [
        "7 of 2 objects",
        "1.5 MiB/s",
        "2.0 s left",
        "1.0 MiB of 4.0 MiB",
        "1 unchanged",
        "1 in flight",
        "2 retries",
        "1 failed",
        "2 quarantined",
    ]


def test_a_total_that_grows_is_no_total_and_leaves_no_time() -> None:
    assert phrases(replace(SNAPSHOT, listing=True), 1.5 * MIB)[:3] == [
        "1 of 2+ objects",
        "1.5 MiB/s",
        "1.0 MiB of 4.0 MiB+",
    ]


@pytest.mark.parametrize("width", [40, 80, 120])
def test_a_live_line_is_one_line(width: int) -> None:
    screen = Tty()
    console = Console(file=screen, force_terminal=True, width=width, no_color=True)
    with Terminal(console) as shown:
        shown.progress(replace(SNAPSHOT, planned=1_000_000, failed=1000, quarantined=1000))
        drawn = screen.getvalue()
    assert "\n" not in drawn
    assert "2,001 of 1,000,000 objects"[: width - 18] in drawn


def test_the_rate_is_that_of_the_last_seconds() -> None:
    rate = Rate()
    assert rate.of(replace(SNAPSHOT, seconds=0.0, bytes=0)) == 0
    assert rate.of(replace(SNAPSHOT, seconds=10.0, bytes=100 * MIB)) == 10 * MIB
    stalled = [replace(SNAPSHOT, seconds=float(s), bytes=100 * MIB) for s in range(11, 31)]
    assert [rate.of(live) for live in stalled][-1] == 0


def test_an_interval_passes_once() -> None:
    interval = Interval(10)
    assert [interval.passed(now) for now in (100, 105, 110, 111)] == [True, False, True, False]


def test_plain_lines_come_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    seldom, often = Lines(), Lines(every=0)
    seldom.progress(SNAPSHOT)
    assert capsys.readouterr().err == ""
    often.progress(SNAPSHOT)
    assert capsys.readouterr().err.startswith("1 of 2 objects, 1.0 MiB/s, ")


def test_a_thousand_failures_are_counted_and_not_told(capsys: pytest.CaptureFixture[str]) -> None:
    shown = Lines()
    for number in range(1000):
        shown.event("failed", {"key": f"k{number}"})
    assert capsys.readouterr().err == ""


def test_progress_events_come_once_a_second(capsys: pytest.CaptureFixture[str]) -> None:
    with Events() as events:
        events.progress(SNAPSHOT)
        events.progress(SNAPSHOT)
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["in_flight"] == 1


def test_an_operation_does_not_fail_because_nobody_watches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as pipe:
        monkeypatch.setattr("sys.stdout", pipe)
        assert output.emit({"first": 1}) is False
        with Events() as events:
            events.event("copied", {"key": "x"})
            events.finished(summary(), (), Told())


def test_what_has_no_file_needs_no_silence() -> None:
    output.silence(io.StringIO())
