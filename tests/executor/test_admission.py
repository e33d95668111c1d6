"""Rights are looked at again when an operation starts."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from lakebed.access.caller import Grant
from lakebed.access.keys import Keys
from lakebed.access.permission import Role
from lakebed.access.standing import Standing
from lakebed.audit.entry import Fact
from lakebed.audit.log import Log, newest
from lakebed.database.tables import queue
from lakebed.errors import Forbidden, LedgerError
from lakebed.executor.admission import Admission
from lakebed.executor.auditor import Auditor
from lakebed.executor.crew import Crew
from lakebed.model.location import Location
from lakebed.model.operation import OperationState, Request
from lakebed.operations.ledger import Ledger
from lakebed.operations.queue import Queue
from lakebed.operations.submission import Claim, Submission
from lakebed.settings import Settings
from lakebed.settings.access import AccessSettings
from tests.executor.admitted import LATER, Inside, inside, sync
from tests.operations.conftest import sqlite, sqlite_template

__all__ = ["sqlite", "sqlite_template"]
REQUEST = Request(Location.parse("here:lake/a/"), Location.parse("there:lake/b/"))


@pytest.fixture
def at(sqlite_template: Path, tmp_path: Path) -> Iterator[Inside]:
    with inside(sqlite_template, tmp_path) as running:
        yield running


def scheduled(at: Inside, shown: dict[str, str]) -> str:
    answer = at.client.post("/api/v1/sync", json=sync(), headers=shown)
    return str(answer.json()["operation_id"])


def due(at: Inside, operation: str) -> None:
    """Its time has come."""
    with at.service.platform.ledger.engine.begin() as connection:
        connection.execute(
            update(queue).where(queue.c.operation == operation).values(not_before=0.0)
        )
    at.service.crew.hint()


def ended(at: Inside, operation: str) -> dict[str, object]:
    """Its status, once nobody is to run it any more."""
    give_up = time.monotonic() + 60
    while at.service.queue.is_wanted(operation):
        assert time.monotonic() < give_up
        at.client.get("/health")
    told: dict[str, object] = at.client.get(
        f"/api/v1/operations/{operation}", headers=at.key()
    ).json()
    return told


def test_an_operation_whose_key_was_revoked_never_starts(at: Inside) -> None:
    operation = scheduled(at, at.key())
    keys = Keys(at.service.platform.ledger.engine)
    caller = f"key:{keys.revoke(keys.list()[0].id).id}"
    due(at, operation)
    told = ended(at, operation)
    assert (told["state"], told["error"], told["files_listed"]) == ("failed", "forbidden", 0)
    assert "revoked" in str(told["message"])
    (last,) = newest(at.service.queue.engine, 1)
    assert last.fact == Fact(caller, "refused start", operation, '{"error": "forbidden"}')


def test_a_refused_operation_may_be_resumed_by_who_may(at: Inside) -> None:
    operation = scheduled(at, at.key())
    keys = Keys(at.service.platform.ledger.engine)
    keys.revoke(keys.list()[0].id)
    due(at, operation)
    assert ended(at, operation)["state"] == "failed"
    again = at.client.post(f"/api/v1/operations/{operation}/resume", headers=at.key())
    assert again.status_code == 202


def test_a_resume_leaves_what_waits_to_begin_as_it_is(at: Inside) -> None:
    operation = scheduled(at, at.key())
    asked = at.service.queue.submission(operation)
    again = at.client.post(f"/api/v1/operations/{operation}/resume", headers=at.key())
    told = again.json()
    assert (again.status_code, told["state"]) == (202, "queued")
    assert told["scheduled_for"] == LATER
    assert at.service.queue.submission(operation) == asked


def test_a_start_is_asked_of_what_the_caller_may_now(sqlite: Engine, tmp_path: Path) -> None:
    keys, line = Keys(sqlite), Queue(sqlite)
    standing = Standing(lambda: AccessSettings(mode="keys"), keys)
    grants = (Grant("here:"), Grant("there:", write=True))
    _, shown = keys.create("night", [Role.STORAGE_ADMIN], grants, None, "test")
    caller = keys.caller(shown)
    line.enqueue([(REQUEST, Submission(caller.id, caller.to_json()))])
    claim = line.claim()
    assert claim is not None
    log = Log.open(sqlite, b"k" * 32)
    gate = Admission(standing, Auditor(log, tmp_path / "heads"))
    gate.admit(claim)
    before_others = replace(claim.submission, priority=5)
    with pytest.raises(Forbidden, match="sync:prioritize"):
        gate.admit(replace(claim, submission=before_others))
    elsewhere = replace(REQUEST, source=Location.parse("vault:lake/"))
    with pytest.raises(Forbidden, match="read here"):
        gate.admit(replace(claim, request=elsewhere))
    begun, *refused = newest(sqlite, 10)
    assert begun.fact.action == "audit begins"
    assert [one.fact.action for one in refused] == ["refused start"] * 2


class Door:
    """A gate whose database is away the first time, and that lets nobody in the second."""

    def __init__(self) -> None:
        self.asked = 0

    def admit(self, claim: Claim) -> None:
        self.asked += 1
        raise LedgerError("away") if self.asked == 1 else Forbidden("no")


def test_where_nobody_can_say_what_a_caller_may_it_is_asked_again(sqlite: Engine) -> None:
    line, door = Queue(sqlite), Door()
    (operation,) = line.enqueue([(REQUEST, Submission("key:1"))]).ids

    async def run() -> None:
        crew = Crew(Settings(), line, door)
        running = asyncio.create_task(crew.run())
        async with asyncio.timeout(60):
            while line.is_wanted(operation):
                await asyncio.sleep(0.01)
        await crew.stop()
        await running

    asyncio.run(run())
    assert door.asked == 2
    found = Ledger(sqlite).get(operation)
    assert (found.state, found.error) == (OperationState.FAILED, "forbidden")


def test_what_names_no_caller_is_refused(at: Inside) -> None:
    operation = scheduled(at, at.key())
    with at.service.platform.ledger.engine.begin() as connection:
        connection.execute(update(queue).values(authority="{}"))
    due(at, operation)
    assert ended(at, operation)["error"] == "forbidden"
