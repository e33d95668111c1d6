"""What a replica does where its own parts fail: it goes on, and takes up the rest."""

import asyncio
from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from lakebed.errors import LedgerError
from lakebed.executor import crew
from lakebed.executor.crew import Crew
from lakebed.executor.process import OperationProcess
from lakebed.model.operation import OperationState
from lakebed.operations.ledger import Ledger
from lakebed.operations.queue import Queue
from lakebed.operations.submission import Claim, Submission
from lakebed.settings import Settings
from lakebed.settings.executor import ExecutorSettings
from tests.operations.conftest import REQUEST, sqlite, sqlite_template

__all__ = ["sqlite", "sqlite_template"]


class Hanging:
    """A process that neither ends nor does what it is told, but for SIGKILL."""

    has_ended = False

    def __init__(self) -> None:
        self.told: list[str] = []
        self._gone = asyncio.Event()

    async def is_gone_within(self, seconds: float) -> bool:
        await asyncio.sleep(0)
        return self._gone.is_set()

    def stop(self) -> None:
        self.told.append("stop")

    def kill(self) -> None:
        self.told.append("kill")
        self._gone.set()

    async def reason(self) -> str:
        return "was ended by SIGKILL"


class Anybody:
    """A gate that admits all."""

    def admit(self, claim: Claim) -> None:
        return


@pytest.fixture
def waiting(sqlite: Engine) -> Queue:
    return Queue(sqlite)


def run(waiting: Queue, until: Callable[[], bool], *, before: Callable[[], None]) -> None:
    """A crew on this queue, until something holds."""

    async def work() -> None:
        one = Crew(Settings(executor=ExecutorSettings(drain=0.01)), waiting, Anybody())
        working = asyncio.create_task(one.run())
        async with asyncio.timeout(30):
            while not until():
                before()
                one.hint()
                await asyncio.sleep(0)
        await one.stop()
        await working

    asyncio.run(work())


def state_of(waiting: Queue, operation: str) -> OperationState:
    return Ledger(waiting.engine).get(operation).state


def begun_by(monkeypatch: pytest.MonkeyPatch, begin: Callable[[], OperationProcess]) -> None:
    async def begins(*_: object) -> OperationProcess:
        return begin()

    monkeypatch.setattr(OperationProcess, "begin", begins)


def test_an_operation_whose_process_cannot_begin_is_tried_again(
    waiting: Queue, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def begin() -> OperationProcess:
        raise OSError(11, "no room for another process")

    begun_by(monkeypatch, begin)
    [operation] = waiting.enqueue([(REQUEST, Submission("ann"))]).ids
    over = lambda: state_of(waiting, operation) is OperationState.INTERRUPTED  # noqa: E731
    run(waiting, over, before=lambda: None)
    assert waiting.is_wanted(operation)
    assert "its process could not begin: no room for another process" in caplog.text


@pytest.mark.parametrize("error", [LedgerError("the ledger is away"), ZeroDivisionError("broken")])
def test_a_claim_that_fails_is_said_once_and_made_again(
    waiting: Queue,
    error: Exception,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    asked = 0

    def claim(*_: object) -> Claim | None:
        nonlocal asked
        asked += 1
        if asked < 3:
            raise error
        return None

    monkeypatch.setattr(waiting, "claim", claim)
    run(waiting, lambda: asked > 3, before=lambda: None)
    if isinstance(error, LedgerError):
        assert caplog.text.count("the ledger is away") == 1


def test_a_process_that_lost_its_lease_and_hangs_is_killed(
    waiting: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging: list[Hanging] = []

    def begin() -> OperationProcess:
        hanging.append(Hanging())
        return hanging[-1]  # type: ignore[return-value]

    begun_by(monkeypatch, begin)
    [operation] = waiting.enqueue([(REQUEST, Submission("ann"))]).ids
    ledger = Ledger(waiting.engine)

    def cancel() -> None:
        if hanging and state_of(waiting, operation) is OperationState.RUNNING:
            fence = ledger.get(operation).fence
            ledger.finish(operation, fence, OperationState.CANCELLED)

    run(waiting, lambda: bool(hanging and hanging[0].told), before=cancel)
    assert hanging[0].told == ["kill"]
    assert state_of(waiting, operation) is OperationState.CANCELLED


def test_a_crew_that_stops_hands_over_and_then_kills(
    waiting: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging: list[Hanging] = []

    def begin() -> OperationProcess:
        hanging.append(Hanging())
        return hanging[-1]  # type: ignore[return-value]

    begun_by(monkeypatch, begin)
    monkeypatch.setattr(crew, "KILL_AFTER", 0.01)
    [operation] = waiting.enqueue([(REQUEST, Submission("ann"))]).ids
    run(waiting, lambda: bool(hanging), before=lambda: None)
    assert hanging[0].told == ["stop", "kill"]
    assert state_of(waiting, operation) is OperationState.INTERRUPTED
    assert waiting.is_wanted(operation)


def test_what_is_asked_for_during_a_look_at_the_queue_is_looked_for_at_once(
    waiting: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crew, "POLL", 3600.0)

    async def work() -> int:
        looks = 0
        loop, again = asyncio.get_running_loop(), asyncio.Event()
        one = Crew(Settings(), waiting, Anybody())

        def claim(*_: object) -> None:
            nonlocal looks
            looks += 1
            if looks == 1:
                asyncio.run_coroutine_threadsafe(hint(), loop).result(30)
            else:
                loop.call_soon_threadsafe(again.set)

        async def hint() -> None:
            one.hint()

        monkeypatch.setattr(waiting, "claim", claim)
        working = asyncio.create_task(one.run())
        try:
            async with asyncio.timeout(30):
                await again.wait()
        finally:
            await one.stop()
            await working
        return looks

    assert asyncio.run(work()) == 2


def test_an_operation_that_cannot_be_attended_is_tried_again_and_the_others_go_on(
    waiting: Queue, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def begin() -> OperationProcess:
        raise ZeroDivisionError("a defect")

    begun_by(monkeypatch, begin)
    ids = waiting.enqueue([(REQUEST, Submission("ann"))] * 2).ids

    def are_left() -> bool:
        return all(state_of(waiting, one) is OperationState.INTERRUPTED for one in ids)

    run(waiting, are_left, before=lambda: None)
    assert all(waiting.is_wanted(one) for one in ids)
    assert "could not be attended: ZeroDivisionError" in str(Ledger(waiting.engine).get(ids[0]))
    assert "could not be attended" in caplog.text
