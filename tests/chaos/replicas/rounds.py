"""One round: a sync that two replicas share, what befalls them, and what must hold then."""

import hashlib
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import func, select

from lakebed.database.tables import objects, operations, queue
from lakebed.database.transaction import reading
from lakebed.errors import LedgerError
from lakebed.model.operation import OperationState
from tests.chaos.replicas.ground import Ground, Place
from tests.chaos.replicas.scene import Blow, What
from tests.chaos.rounds import CANARY
from tests.e2e.buckets import Bucket
from tests.e2e.process import PATIENCE
from tests.executor.processes import are_gone, kill, workers

AWAY = {"store-unreachable", "store-fault"}
"""What an operation, or an object of it, may end with where a store is away for too long."""
OBJECTS = 5_000
SAMPLES = 25
"""Objects that are read back in full; of all others the store's own MD5 is compared."""
LOOK = 0.05
"""Seconds between two looks at the ledger."""


@dataclass(frozen=True, slots=True)
class Stand:
    """How an operation stands in the ledger."""

    state: str
    wanted: bool
    fence: int
    error: str | None

    @property
    def is_over(self) -> bool:
        return not self.wanted and self.state != OperationState.RUNNING


@dataclass(frozen=True, slots=True)
class Played:
    seed: int
    blows: tuple[Blow, ...]
    struck: int
    """Blows that came before its end."""
    seconds: float
    fences: int
    resumes: int

    def __str__(self) -> str:
        return (
            f"seed {self.seed:<11}{self.seconds:5.1f} s, lease {self.fences} times, "
            f"{self.struck} of {len(self.blows)}: {'; '.join(map(str, self.blows)) or 'nothing'}"
        )


class Round:
    def __init__(self, ground: Ground, content: dict[str, bytes], usual: float) -> None:
        self._ground, self._content, self._usual = ground, content, usual
        self._later: list[tuple[float, Callable[[], None]]] = []
        self._operation = ""

    def play(self, seed: int, blows: tuple[Blow, ...]) -> Played:
        """Raises AssertionError where something does not hold."""
        destination = Bucket.create(self._ground.source.store)
        began = time.monotonic()
        self._ask(destination)
        struck, resumes = self._strike(blows, began), 0
        while (stand := self._over()).state != OperationState.COMPLETED:
            # A store that is away for longer than its retries ends an operation: one asks again.
            assert stand.error in AWAY or not self._failed() - AWAY, (stand, self._failed())
            assert resumes < len(blows), stand
            self._ground.places[0].now.post(f"/api/v1/operations/{self._operation}/resume")
            resumes += 1
        seconds = time.monotonic() - began
        self._settle()
        self._check(seed, destination)
        self._ground.forget(destination)
        return Played(seed, blows, struck, seconds, self._stand().fence, resumes)

    def _ask(self, destination: Bucket) -> None:
        ends = f"here:{self._ground.source.name}/", f"there:{destination.name}/"
        self._operation = self._ground.places[0].now.sync(*ends)

    def _strike(self, blows: tuple[Blow, ...], began: float) -> int:
        """How many came before the end. What was stopped goes on later, in any case."""
        struck = 0
        for blow in blows:
            self._pass(began + blow.moment * self._usual)
            if self._stand().is_over:
                break
            self._blow(blow)
            struck += 1
        return struck

    def _pass(self, until: float) -> None:
        while (left := until - time.monotonic()) > 0:
            self._go_on(time.monotonic())
            time.sleep(min(LOOK, left))

    def _go_on(self, now: float) -> None:
        for moment, action in list(self._later):
            if moment <= now:
                self._later.remove((moment, action))
                action()

    def _blow(self, blow: Blow) -> None:
        place = self._struck(blow)
        if blow.what is What.RESTART_DATABASE:
            self._ground.server.restart()
        elif blow.what is What.RESTART_STORE:
            self._ground.restart_store()
        elif blow.what is What.JUMP:
            place.clock.write_text(str(blow.seconds))
        elif blow.what is What.KILL_REPLICA:
            place.now.process.signal(signal.SIGKILL)
            place.restart()
        elif blow.what is What.KILL_MACHINE:
            kill(place.pids())
            place.restart()
        elif blow.what is What.KILL_PROCESS:
            kill(list(workers_of(place)))
        else:
            pids = place.pids() if blow.what is What.STALL_MACHINE else workers_of(place)
            kill(pids, signal.SIGSTOP)
            later = time.monotonic() + blow.seconds
            self._later.append((later, lambda: kill(pids, signal.SIGCONT)))

    def _struck(self, blow: Blow) -> Place:
        first, second = self._ground.places
        runner, other = (first, second) if workers_of(first) else (second, first)
        return runner if blow.at_runner else other

    def _over(self) -> Stand:
        give_up = time.monotonic() + PATIENCE
        while not (stand := self._stand()).is_over:
            assert time.monotonic() < give_up, f"it is stuck: {stand}"
            self._go_on(time.monotonic())
            time.sleep(LOOK)
        return stand

    def _stand(self) -> Stand:
        query = (
            select(operations.c.state, queue.c.wanted, operations.c.fence, operations.c.error)
            .join(queue, queue.c.operation == operations.c.id)
            .where(operations.c.id == self._operation)
        )
        while True:
            try:
                with reading(self._ground.database) as connection:
                    return Stand(*connection.execute(query).one())
            except LedgerError:
                time.sleep(LOOK)  # it restarts

    def _failed(self) -> set[str | None]:
        """The errors of its objects."""
        query = select(objects.c.error).where(objects.c.operation == self._operation)
        with reading(self._ground.database) as connection:
            return set(connection.scalars(query.where(objects.c.state == "failed")))

    def _settle(self) -> None:
        """All that was stopped goes on, late writes included; then no process is left of it."""
        self._go_on(float("inf"))
        for place in self._ground.places:
            place.tidy()
            assert are_gone(workers_of(place), PATIENCE), "a process is left"
            place.clock.unlink(missing_ok=True)

    def _check(self, seed: int, destination: Bucket) -> None:
        there = {one.key: one for one in destination.listing() if not one.key.startswith(CANARY)}
        wrong = [
            key
            for key in there.keys() | self._content.keys()
            if key not in there or there[key].etag != md5(self._content.get(key, b""))
        ]
        assert not wrong, f"lost, damaged or not to be there: {sorted(wrong)[:5]} of {len(wrong)}"
        for key in random.Random(seed).sample(sorted(there), min(SAMPLES, len(there))):
            assert destination.read(key) == self._content[key], key
        query = select(objects.c.state, func.count()).group_by(objects.c.state)
        with reading(self._ground.database) as connection:
            rows = connection.execute(query.where(objects.c.operation == self._operation)).all()
        assert [tuple(row) for row in rows] == [("done", len(self._content))], rows


def workers_of(place: Place) -> list[int]:
    """The processes of its operations."""
    return list(workers(place.now))


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
