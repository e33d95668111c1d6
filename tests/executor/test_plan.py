"""Plans over HTTP: lines as the command line's, in processes that end when nobody reads."""

import asyncio
import json
import multiprocessing
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.testclient import TestClient
from starlette.types import Message

from lakebed.access.caller import Caller, Grant
from lakebed.access.permission import Role
from lakebed.errors import BucketMissing, DurationReached, TooManyRequests
from lakebed.executor.app import build
from lakebed.executor.callers import caller_of
from lakebed.executor.plans import Plans
from lakebed.executor.problems import status_of
from lakebed.executor.routes.plan import PlanResponse, first_of
from lakebed.executor.service import Service
from lakebed.model.location import Location
from lakebed.model.operation import Request
from lakebed.settings import Settings
from lakebed.settings.access import AccessSettings
from lakebed.settings.executor import ExecutorSettings
from tests.e2e.buckets import Bucket, pairs
from tests.e2e.process import PATIENCE, Lakebed
from tests.executor.replica import Json, Replica

MISSING = status_of(BucketMissing("it is gone"))
BODY: Json = {"source": "binance:a/", "destination": "aws:b/"}
"""Stores that are built in; nothing is asked of them before what is wrong is found."""


def _settings(folder: Path, plans: int = 1, deadline: float = 60.0) -> Settings:
    return Settings(
        state=folder / "state",
        executor=ExecutorSettings(plans=plans, plan_deadline=deadline),
        access=AccessSettings(mode="none"),
    )


def _folders(folder: Path, files: int) -> Request:
    source = folder / "source"
    source.mkdir()
    for number in range(files):
        (source / f"{number:05}").touch()
    (folder / "destination").mkdir()
    return Request(Location("file", str(source)), Location("file", str(folder / "destination")))


async def _all(pieces: AsyncGenerator[bytes]) -> list[Json]:
    return [json.loads(line) for line in b"".join([p async for p in pieces]).splitlines()]


def test_a_plan_is_line_by_line_that_of_the_command(
    executor: Replica, lakebed: Lakebed, source: Bucket, destination: Bucket
) -> None:
    source.fill(pairs(20))
    destination.fill({"extra": b"1", **pairs(5)})
    body: Json = {"source": f"here:{source.name}/", "destination": f"there:{destination.name}/"}
    configuration = {"delete_extra": True, "max_delete": 0}
    answer = executor.client.post("/api/v1/plan", json={**body, "configuration": configuration})
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    ends = (f"here:{source.name}/", f"there:{destination.name}/")
    here = lakebed("plan", *ends, "--delete", "--max-delete", "0", "--json")
    assert [json.loads(line) for line in answer.text.splitlines()] == here.events
    assert here.summary["nothing_deleted"] == "--max-delete is 0"


def test_what_fails_before_the_first_line_is_a_problem(
    executor: Replica, destination: Bucket
) -> None:
    body = {"source": "here:no-such-bucket/", "destination": f"there:{destination.name}/"}
    answer = executor.client.post("/api/v1/plan", json=body)
    assert (answer.status_code, answer.json()["code"]) == (MISSING, BucketMissing.code)
    assert answer.json()["detail"].startswith("here:no-such-bucket")


def test_only_so_many_plans_are_made_at_once(tmp_path: Path) -> None:
    request, plans, settings = _folders(tmp_path, 3), Plans(), _settings(tmp_path)

    async def both() -> list[Json]:
        held = plans.lines(settings, request, "ann")
        await anext(held)
        with pytest.raises(TooManyRequests):
            await anext(plans.lines(settings, request, "ann"))
        await held.aclose()
        return await _all(plans.lines(settings, request, "ann"))

    assert asyncio.run(both())[-1]["copy"] == 3
    assert not multiprocessing.active_children()


def test_one_caller_leaves_a_place_for_the_plans_of_others(tmp_path: Path) -> None:
    request, plans, settings = _folders(tmp_path, 3), Plans(), _settings(tmp_path, plans=3)

    async def several() -> None:
        held = [plans.lines(settings, request, "ann") for _ in range(2)]
        for one in held:
            await anext(one)
        with pytest.raises(TooManyRequests):
            await anext(plans.lines(settings, request, "ann"))
        held.append(plans.lines(settings, request, "ben"))
        await anext(held[-1])
        with pytest.raises(TooManyRequests):
            await anext(plans.lines(settings, request, "eve"))
        for one in held:
            await one.aclose()
        assert (await _all(plans.lines(settings, request, "ann")))[-1]["copy"] == 3

    asyncio.run(several())
    assert not multiprocessing.active_children()


def test_a_caller_who_leaves_ends_its_plan(tmp_path: Path) -> None:
    request, plans, settings = _folders(tmp_path, 8000), Plans(), _settings(tmp_path)

    async def leave() -> None:
        has_begun = asyncio.Event()

        async def receive() -> Message:
            await has_begun.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.body":
                has_begun.set()
                await asyncio.Event().wait()  # takes no more

        response = PlanResponse(plans.lines(settings, request, "ann"))
        await response({"type": "http", "asgi": {"spec_version": "2.3"}}, receive, send)

    asyncio.run(leave())
    assert not multiprocessing.active_children()


def test_a_caller_who_leaves_before_the_first_line_ends_its_plan_too() -> None:
    ended = []

    async def never() -> AsyncGenerator[bytes]:
        try:
            await asyncio.Event().wait()
            yield b""
        finally:
            ended.append(True)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    with pytest.raises(ClientDisconnect):
        asyncio.run(first_of(HttpRequest({"type": "http"}, receive), never()))
    assert ended == [True]


def test_a_plan_whose_reader_stands_still_ends_at_its_deadline(tmp_path: Path) -> None:
    request, settings = _folders(tmp_path, 8000), _settings(tmp_path, deadline=3.0)

    async def read() -> None:
        pieces = Plans().lines(settings, request, "ann")
        await anext(pieces)
        give_up = time.monotonic() + PATIENCE
        while any(one.is_alive() for one in multiprocessing.active_children()):
            assert time.monotonic() < give_up
        await _all(pieces)

    with pytest.raises(DurationReached, match="longer than 3 s"):
        asyncio.run(read())
    assert not multiprocessing.active_children()


class _Failing(Plans):
    """Fails after the first line."""

    async def lines(
        self, settings: Settings, request: Request, caller: str
    ) -> AsyncGenerator[bytes]:
        yield b'{"event": "decision"}\n'
        raise BucketMissing("it is gone", subject="there:b")


@contextmanager
def _served(
    folder: Path, caller: Caller | None = None, plans: Plans | None = None
) -> Iterator[httpx2.Client]:
    service = Service.open(_settings(folder))
    service.plans = plans or service.plans
    app = build(service)
    if caller is not None:
        app.dependency_overrides[caller_of] = lambda: caller
    with TestClient(app) as client:
        yield client


def test_what_fails_later_is_the_last_line(tmp_path: Path) -> None:
    with _served(tmp_path, plans=_Failing()) as client:
        answer = client.post("/api/v1/plan", json=BODY)
    first, last = map(json.loads, answer.text.splitlines())
    assert (answer.status_code, first) == (200, {"event": "decision"})
    assert (last["event"], last["code"], last["status"]) == ("error", BucketMissing.code, MISSING)
    assert (last["detail"], bool(last["trace_id"])) == ("there:b: it is gone", True)


@pytest.mark.parametrize(
    ("grants", "roles", "status"),
    [
        (("binance:", "aws:"), (Role.READONLY_USER,), 200),
        (("binance:", "aws:"), (Role.WORKFLOW_OPERATOR,), 200),
        (("binance:", "aws:"), (), 403),
        (("binance:",), (Role.READONLY_USER,), 403),
        (("aws:",), (Role.INFRASTRUCTURE_ADMIN,), 403),
    ],
)
def test_a_plan_takes_the_right_to_read_both_ends(
    grants: tuple[str, ...], roles: tuple[Role, ...], status: int, tmp_path: Path
) -> None:
    caller = Caller("key:1", "me", frozenset(roles), tuple(Grant(place) for place in grants))
    with _served(tmp_path, caller, _Failing()) as client:
        assert client.post("/api/v1/plan", json=BODY).status_code == status


def test_a_plan_of_folders_is_refused(tmp_path: Path) -> None:
    with _served(tmp_path) as client:
        answer = client.post("/api/v1/plan", json={**BODY, "source": str(tmp_path)})
    assert (answer.status_code, answer.json()["code"]) == (422, "usage")
