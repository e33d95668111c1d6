"""One round: a sync that is killed with SIGKILL at moments of its seed, and what must hold then."""

import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from lakebed.errors import Exit
from lakebed.model.objects import Object
from lakebed.model.operation import OperationState, Options
from lakebed.model.quantity import MIB
from lakebed.store.contract import Store
from tests.chaos.scene import Scene
from tests.e2e.buckets import Bucket, place
from tests.e2e.process import Ended, Lakebed
from tests.operations.expected import after_sync

CANARY = ".lakebed-"
"""What a run leaves that was killed while it probed; it says of itself that it may be deleted."""
CODES = {OperationState.COMPLETED: Exit.COMPLETED, OperationState.QUARANTINED: Exit.QUARANTINED}
UNPACKED = {f"LAKEBED_STORES__{name}__DISABLE": "unpack" for name in ("HERE", "THERE")}
IN_PARTS = 5 * MIB
"""Bytes from which on an object may have been uploaded in parts: the least that S3 allows."""


@dataclass(frozen=True, slots=True)
class Kill:
    """`moment` in seconds from the start of the operation; `done` were done by then, durably, and
    are held so by the destination."""

    moment: float
    done: frozenset[Object]


@dataclass(frozen=True, slots=True)
class Played:
    """What happened in a round."""

    scene: Scene
    state: str
    objects: int
    kills: list[Kill]
    canaries: int

    def __str__(self) -> str:
        kills = ", ".join(f"{kill.moment:.2f} s ({len(kill.done)} done)" for kill in self.kills)
        return (
            f"seed {self.scene.seed:<10} {self.scene.way.name:<17} killed at {kills or 'no time'}; "
            f"then {self.state}, {self.objects} objects"
            + (f", {self.canaries} canaries left" if self.canaries else "")
        )


@dataclass
class Ground:
    """Where rounds are played: the command, and a store that it knows."""

    lakebed: Lakebed
    store: Store
    seconds: dict[str, float] = field(default_factory=dict)
    """How long a run of each way takes that nobody kills."""

    def play(self, scene: Scene) -> Played:
        """Raises AssertionError where something does not hold."""
        if scene.way.name not in self.seconds:
            self._measure(scene)
        with self._ends(scene) as (source, destination):
            kills, ended = self._run(scene, source, destination)
            self._check(scene, ended, destination)
            self._check_nothing_repeated(kills, destination)
            self._abort_uploads(scene, destination)
            return Played(
                scene,
                str(ended.summary["state"]),
                len(scene.source),
                kills,
                sum(key.startswith(CANARY) for key in destination.keys()),  # noqa: SIM118
            )

    @contextmanager
    def _ends(self, scene: Scene) -> Iterator[tuple[Bucket, Bucket]]:
        names, folder = (scene.way.source, scene.way.destination), self.lakebed.folder
        source, destination = (place(name, self.store, folder) for name in names)
        destination.fill(scene.before)  # first: what is older is older there, too
        source.fill(scene.source)
        yield source, destination
        source.clear()
        destination.clear()

    def _measure(self, scene: Scene) -> None:
        with self._ends(scene) as ends:
            with self._command(scene).started(*scene.arguments(*ends)) as running:
                running.until("started")
                began = time.monotonic()
                running.end()
            self.seconds[scene.way.name] = time.monotonic() - began

    def _run(self, scene: Scene, source: Bucket, destination: Bucket) -> tuple[list[Kill], Ended]:
        """Killed as the scene says, and then to its end; which may come before a kill."""
        kills: list[Kill] = []
        lakebed, arguments = self._command(scene), scene.arguments(source, destination)
        for share in scene.moments:
            moment = share * self.seconds[scene.way.name]
            with lakebed.started(*arguments) as running:
                operation = str(running.until("started")["operation_id"])
                if running.ends_within(moment):
                    return kills, running.end()
                running.signal(signal.SIGKILL)
                if running.end().code != -signal.SIGKILL:
                    return kills, running.end()
            kills.append(Kill(moment, self._done(operation, destination)))
            arguments = ("resume", operation, "--json")
            if self._has_completed(operation):  # before the kill, and had only to say so
                break
        return kills, lakebed(*arguments)

    def _command(self, scene: Scene) -> Lakebed:
        return self.lakebed if scene.way.packs else self.lakebed.but(**UNPACKED)

    def _check(self, scene: Scene, ended: Ended, destination: Bucket) -> None:
        expected = after_sync(scene.source, scene.before, Options())
        assert (ended.summary["state"], ended.code) == (expected.state, CODES[expected.state])
        there = {k: v for k, v in destination.content().items() if not k.startswith(CANARY)}
        wrong = {
            key
            for key in there | expected.destination
            if there.get(key) != expected.destination.get(key)
        }
        assert not wrong, f"lost, doubled, damaged or not to be there: {sorted(wrong)}"
        states = self._states(str(ended.summary["operation_id"]))
        assert not {"pending", "failed"} & set(states.values())
        done = [key for key, state in states.items() if state == "done"]
        assert ended.summary["copied"] == len(done)
        assert set(done) <= there.keys()

    def _check_nothing_repeated(self, kills: list[Kill], destination: Bucket) -> None:
        stands = set(destination.listing())
        for kill in kills:
            assert kill.done <= stands, "what was done was written again"

    def _done(self, operation: str, destination: Bucket) -> frozenset[Object]:
        states = self._states(operation).items()
        done = {key for key, state in states if state == "done"}
        stands = frozenset(found for found in destination.listing() if found.key in done)
        assert len(stands) == len(done), "what is done is there"
        return stands

    def _has_completed(self, operation: str) -> bool:
        [(_, state)] = self._rows("select id, state from operations where id = ?", operation)
        return state == OperationState.COMPLETED

    def _states(self, operation: str) -> dict[str, str]:
        rows = self._rows("select key, state from objects where operation = ?", operation)
        return {bytes(key).decode(): str(state) for key, state in rows}

    def _rows(self, query: str, operation: str) -> list[tuple[bytes, str]]:
        """The ledger, read as any other program would."""
        ledger = self.lakebed.folder / "state/lakebed/ledger.sqlite"
        with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as connection:
            return connection.execute(query, [operation]).fetchall()

    def _abort_uploads(self, scene: Scene, destination: Bucket) -> None:
        """After the command that does so, no upload that a kill left is there any more."""
        ended = self.lakebed("uploads", "abort")
        assert ended.code == Exit.COMPLETED, ended.err
        large = [key for key, data in scene.source.items() if len(data) >= IN_PARTS]
        store = destination.store
        left = [key for key in large if store.list_uploads(destination.name, key)]
        assert not left, f"uploads left: {left}"
