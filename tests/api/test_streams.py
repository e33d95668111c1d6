"""Streams of an executor: events that go on after a break, the lines of plans and reports."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx2
import pytest
from pydantic import JsonValue

from lakebed.api import client, pauses
from lakebed.api.events import Event, summary_from
from lakebed.api.planned import PlannedObject, PlanSummary
from lakebed.api.requests import PlanRequest
from lakebed.errors import (
    BucketMissing,
    DurationReached,
    ExecutorError,
    ExecutorUnreachable,
    UnknownOperation,
)
from lakebed.model.operation import OperationState
from lakebed.report.formats import Format
from tests.api.scripted import BROKEN, Scripted, event, problem, stream

PLAN = PlanRequest(source="a:b/", destination="c:d/")
DECISION = {"event": "decision", "decision": "copy", "key": "k\u2028k", "size": 3, "reason": ""}
COUNTS = dict.fromkeys(("copy", "skip", "changed", "extra", "delete", "fail", "bytes"), 0)
SUMMARY = {"event": "summary", **COUNTS}


async def _events(script: Scripted, **options: float) -> list[Event]:
    async with script.client() as client:
        return [one async for one in client.events("1M7", **options)]  # type: ignore[arg-type]


async def _plan(script: Scripted) -> list[PlannedObject | PlanSummary]:
    async with script.client() as client:
        return [one async for one in client.plan(PLAN)]


def _lines(*lines: object) -> httpx2.Response:
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    return stream(*(text[i : i + 7] for i in range(0, len(text), 7)), media="application/x-ndjson")


def test_events_go_on_after_a_break_where_they_were(paused: list[float]) -> None:
    script = Scripted(
        [
            stream(event(1, "queued"), ": still here\n\n", event(2, "started"), BROKEN),
            stream(),
            problem(503, "ledger"),
            stream(event(3, "objects", [{"event": "copied", "key": "k"}]), event(4, "summary")),
        ]
    )
    found = asyncio.run(_events(script))
    assert [(one.number, one.kind) for one in found] == [
        (1, "queued"),
        (2, "started"),
        (3, "objects"),
        (4, "summary"),
    ]
    assert found[2].objects == [{"event": "copied", "key": "k"}]
    assert [one.headers.get("Last-Event-ID") for one in script.requests] == [None, "2", "2", "2"]


def test_events_begin_after_the_one_that_is_named() -> None:
    script = Scripted([stream(event(8, "summary"))])
    asyncio.run(_events(script, after=7))
    assert script.requests[0].headers["Last-Event-ID"] == "7"


def test_an_operation_that_is_unknown_has_no_events(paused: list[float]) -> None:
    script = Scripted([problem(404, UnknownOperation.code)])
    with pytest.raises(UnknownOperation):
        asyncio.run(_events(script))
    assert len(script.requests) == 1


def test_an_executor_that_stays_away_ends_the_watching(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Scripted([stream(event(1, "queued")), httpx2.ConnectError("refused")])

    async def watch() -> None:
        async with script.client(patience=0.5) as client:
            async for _ in client.events("1M7"):
                pass

    with pytest.raises(ExecutorUnreachable):
        asyncio.run(watch())


@dataclass
class Hours:
    """A clock that goes on when it is told."""

    now: float = 0.0

    def monotonic(self) -> float:
        return self.now


def _quiet(clock: Hours, seconds: float) -> httpx2.Response:
    """A stream in which nothing is told for a while; then it breaks off."""

    async def body() -> AsyncIterator[bytes]:
        for _ in range(10):
            clock.now += seconds / 10
            yield b": still here\n\n"
        raise BROKEN

    return httpx2.Response(200, content=body(), headers={"Content-Type": "text/event-stream"})


@pytest.fixture
def hours(monkeypatch: pytest.MonkeyPatch) -> Hours:
    """By which pauses take their time, and the tests none."""
    clock = Hours()

    async def sleep(seconds: float) -> None:
        clock.now += seconds

    monkeypatch.setattr(pauses, "sleep", sleep)
    for module in (client, pauses):
        monkeypatch.setattr(module, "time", clock)
    return clock


def test_an_operation_that_is_silent_for_long_is_still_watched_after_a_break(hours: Hours) -> None:
    streams = [_quiet(hours, 3600.0) for _ in range(3)]
    script = Scripted([*streams, stream(event(1, "summary"))])
    assert [one.kind for one in asyncio.run(_events(script))] == ["summary"]


def test_an_executor_that_goes_away_for_good_is_not_waited_for(hours: Hours) -> None:
    """Although to find that out takes longer each time than a break does."""
    gone = httpx2.ConnectError("refused")
    script = Scripted([_quiet(hours, 3600.0), *[gone] * 500, stream(event(1, "summary"))])
    with pytest.raises(ExecutorUnreachable, match="refused"):
        asyncio.run(_events(script))
    assert hours.now < 3600.0 + 3 * 60.0


def test_an_executor_that_breaks_off_at_once_again_and_again_is_away(hours: Hours) -> None:
    script = Scripted([_quiet(hours, 3.0) for _ in range(100)])
    with pytest.raises(ExecutorUnreachable):
        asyncio.run(_events(script))
    assert len(script.requests) < 30


def test_a_deadline_ends_the_watching() -> None:
    never = asyncio.Event()

    async def answer(request: httpx2.Request) -> httpx2.Response:
        await never.wait()
        raise AssertionError

    script = Scripted([])
    script._answer = answer  # type: ignore[method-assign]
    with pytest.raises(DurationReached, match="the operation goes on"):
        asyncio.run(_events(script, deadline=0.01))


def test_a_summary_of_a_later_version_is_read_too() -> None:
    counts = ("listed", "copied", "skipped", "failed", "quarantined", "deleted", "bytes")
    told: dict[str, JsonValue] = {
        "event": "summary",
        "operation_id": "1M7",
        "state": "completed",
        "of_tomorrow": 1,
    }
    summary = summary_from({**told, **dict.fromkeys(counts, 1), "seconds": 2.0})
    assert (summary.state, summary.copied) == (OperationState.COMPLETED, 1)


def test_a_plan_is_its_decisions_and_their_summary() -> None:
    *decisions, summary = asyncio.run(_plan(Scripted([_lines(DECISION, DECISION, SUMMARY)])))
    assert [one.model_dump(mode="json") for one in decisions] == [DECISION, DECISION]
    assert summary.model_dump(mode="json", by_alias=True, exclude_none=True) == SUMMARY


def test_a_plan_that_fails_in_its_middle_raises_what_it_failed_of() -> None:
    told = json.loads(problem(502, BucketMissing.code, "there:b: it is gone").content)
    with pytest.raises(BucketMissing, match="there:b: it is gone"):
        asyncio.run(_plan(Scripted([_lines(DECISION, {"event": "error", **told})])))


def test_a_plan_that_breaks_off_is_none() -> None:
    with pytest.raises(ExecutorUnreachable, match="broke off"):
        asyncio.run(_plan(Scripted([_lines(DECISION)])))
    with pytest.raises(ExecutorError, match="not understood"):
        asyncio.run(_plan(Scripted([stream("{}\n")])))
    with pytest.raises(ExecutorUnreachable, match="reset by peer"):
        asyncio.run(_plan(Scripted([stream("", BROKEN)])))


def test_only_a_line_feed_ends_a_line_of_a_report() -> None:
    script = Scripted([stream("a\u2028\x85", "\r\nb", "\n", "c")])

    async def report() -> list[str]:
        async with script.client() as client:
            return [line async for line in client.report("1M7", Format.TEXT)]

    assert asyncio.run(report()) == ["a\u2028\x85\r", "b", "c"]
    assert script.requests[0].url.query == b"format=text"
