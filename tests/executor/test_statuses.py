"""Answers that are kept for a moment: how old they may be, and who shares them."""

import asyncio
import json

import pytest
from anyio import CapacityLimiter

from lakebed.errors import LedgerError, UnknownOperation
from lakebed.executor import statuses as module
from lakebed.executor.statuses import Statuses
from lakebed.operations.ledger import Ledger
from lakebed.operations.queue import Queue
from lakebed.operations.submission import Submission
from tests.operations.conftest import (
    REQUEST,
    clock,
    engine,
    ledger,
    pg,
    sqlite,
    sqlite_template,
)

__all__ = ["clock", "engine", "ledger", "pg", "sqlite", "sqlite_template"]


class Counted:
    """Opens the ledger, and counts how often; `is_away` has it refuse."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.times = 0
        self.is_away = False

    def __call__(self) -> Ledger:
        self.times += 1
        if self.is_away:
            raise LedgerError("the ledger is away")
        return self._ledger


@pytest.fixture
def counted(ledger: Ledger) -> Counted:
    return Counted(ledger)


def queued(ledger: Ledger) -> str:
    (operation_id,) = Queue(ledger.engine, ledger.now).enqueue([(REQUEST, Submission("me"))]).ids
    return operation_id


def test_many_who_ask_at_once_share_one_answer(ledger: Ledger, counted: Counted) -> None:
    operation_id = queued(ledger)

    async def ask() -> list[bytes]:
        statuses = Statuses(counted, CapacityLimiter(4))
        found = await asyncio.gather(*(statuses.of(operation_id) for _ in range(50)))
        return [known.body for known in found]

    (body,) = set(asyncio.run(ask()))
    assert counted.times == 1
    assert (json.loads(body)["state"], json.loads(body)["caller"]) == ("queued", "me")


def test_what_was_forgotten_is_read_again(ledger: Ledger, counted: Counted) -> None:
    operation_id = queued(ledger)

    async def ask() -> str:
        statuses = Statuses(counted, CapacityLimiter(4))
        await statuses.of(operation_id)
        ledger.request_cancel(operation_id)
        statuses.forget(operation_id)
        return str(json.loads((await statuses.of(operation_id)).body)["state"])

    assert asyncio.run(ask()) == "cancelled"


def test_an_old_answer_is_given_only_while_a_new_one_is_on_its_way(
    ledger: Ledger, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AGE", 0.0)
    monkeypatch.setattr(module, "STALE", 60.0)
    operation_id = queued(ledger)

    async def ask() -> list[str]:
        statuses = Statuses(counted, CapacityLimiter(4))
        states = []
        await statuses.of(operation_id)
        ledger.request_cancel(operation_id)
        async with asyncio.timeout(30):
            while "cancelled" not in states:
                states.append(json.loads((await statuses.of(operation_id)).body)["state"])
                await asyncio.sleep(0)
        return states

    states = asyncio.run(ask())
    assert states[0] == "queued"
    assert set(states) == {"queued", "cancelled"}


def test_a_database_that_is_away_is_told_once_the_last_answer_is_too_old(
    ledger: Ledger, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AGE", 0.0)
    operation_id = queued(ledger)

    async def ask() -> None:
        statuses = Statuses(counted, CapacityLimiter(4))
        kept = await statuses.of(operation_id)
        counted.is_away = True
        monkeypatch.setattr(module, "STALE", 60.0)
        assert await statuses.of(operation_id) is kept
        monkeypatch.setattr(module, "STALE", 0.0)
        with pytest.raises(LedgerError):
            await statuses.of(operation_id)

    asyncio.run(ask())


def test_no_more_are_kept_than_were_meant_to_be(
    ledger: Ledger, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    monkeypatch.setattr(module, "AGE", 60.0)
    ids = [queued(ledger) for _ in range(3)]

    async def ask() -> None:
        statuses = Statuses(counted, CapacityLimiter(4))
        for operation_id in (*ids, ids[2], ids[0]):
            await statuses.of(operation_id)
        with pytest.raises(UnknownOperation):
            await statuses.of("0" * 16)

    asyncio.run(ask())
    assert counted.times == 5, "the third had the first two forgotten"
