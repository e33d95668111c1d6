"""Lakebed in an asyncio program."""

import asyncio
import threading
from collections.abc import Awaitable
from pathlib import Path
from typing import TypeVar

import pytest

import lakebed
from lakebed import errors
from lakebed.model.operation import OperationState
from tests.operations.platform import World, request

T = TypeVar("T")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def run(action: Awaitable[T]) -> T:
    async def timely() -> T:
        return await asyncio.wait_for(action, 60)

    return asyncio.run(timely())


def test_a_sync_is_awaited_and_reported(world: World) -> None:
    world.put_pair("a.zip", b"archive")
    report = run(lakebed.sync("src:b/", "dst:b/in/", settings=world.settings))
    assert (report.state, report.copied) == (OperationState.COMPLETED, 2)
    proved = run(lakebed.verify("src:b/", "dst:b/in/", settings=world.settings))
    assert sum(proved.proofs.values()) == 2


def test_all_calls_share_one_line_to_the_network(world: World) -> None:
    settings = world.settings.model_copy(update={"bandwidth": 10**9})
    for _ in range(2):
        run(lakebed.sync("src:b/", "dst:b/in/", settings=settings))
    assert len({id(limits.line) for limits in world.limits}) == 1


def test_a_plan_and_a_listing_are_streams(world: World) -> None:
    for key in ("a", "b"):
        world.put(key, b"x")

    async def walk() -> tuple[list[str], list[str]]:
        planned = [one.key async for one in lakebed.plan("src:b/", "dst:b/", settings=settings)]
        listed = [one.key async for one in lakebed.ls("src:b/", settings=settings)]
        return planned, listed

    settings = world.settings
    assert run(walk()) == (["a", "b"], ["a", "b"])


def test_pairs_are_released_from_quarantine_by_key_by_location_or_all(world: World) -> None:
    for key in ("x/a.zip", "x/b.zip", "y/c.zip"):
        world.put_pair(key, b"archive", published=b"another")
    settings = world.settings
    run(lakebed.sync("src:b/", "dst:b/in/", settings=settings))
    with pytest.raises(errors.UsageError, match="release what"):
        run(lakebed.quarantine_release(settings=settings))
    assert run(lakebed.quarantine_release("x/a.zip", settings=settings)) == 1
    assert run(lakebed.quarantine_release("src:b/x/", settings=settings)) == 1
    assert run(lakebed.quarantine_release(every=True, settings=settings)) == 1


def test_a_cancelled_task_leaves_a_resumable_operation(world: World) -> None:
    world.put("a", b"x")
    busy, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        busy.set()
        go_on.wait(60)

    world.on("put", "in/a", hold)

    async def interrupted() -> None:
        task = asyncio.create_task(lakebed.sync("src:b/", "dst:b/in/", settings=world.settings))
        await asyncio.to_thread(busy.wait, 60)
        task.cancel()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(interrupted())
    with world.platform() as platform:
        [operation] = platform.ledger.list()
        # The last put may have been acknowledged before the stop was heard.
        assert operation.state in (OperationState.INTERRUPTED, OperationState.COMPLETED)
    resumed = run(lakebed.resume(operation.id, settings=world.settings))
    assert (resumed.state, resumed.copied) == (OperationState.COMPLETED, 1)


def test_an_operation_is_cancelled_from_elsewhere(world: World) -> None:
    with world.platform() as platform:
        operation_id = platform.ledger.create(request())
    ended = run(lakebed.cancel(operation_id, settings=world.settings))
    assert ended.state is OperationState.CANCELLED


def test_wrong_use_is_raised_before_anything_begins(world: World) -> None:
    with pytest.raises(errors.UnknownStore):
        run(lakebed.sync("nobody:b/", "dst:b/", settings=world.settings))


def test_the_settings_are_those_of_the_command_line(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "lakebed.toml"
    file.write_text("[stores.src]\nendpoint = 'http://src.test'\nanonymous = true\n")
    monkeypatch.setenv("LAKEBED_CONFIG", str(file))
    monkeypatch.setenv("LAKEBED_STATE", str(tmp_path))
    world.put("a", b"x")

    async def listed() -> list[str]:
        return [one.key async for one in lakebed.ls("src:b/")]

    assert run(listed()) == ["a"]


def test_there_is_nothing_else_in_the_package() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        _ = lakebed.nothing
