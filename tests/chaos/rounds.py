"""One round: a sync that is killed with SIGKILL at moments of its seed, and what must hold then."""

import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import unquote

from lakebed.errors import Exit
from lakebed.model.operation import OperationState, Options
from lakebed.model.quantity import MIB
from lakebed.store.cancellation import Cancellation
from lakebed.store.s3.answer import document, texts
from lakebed.store.s3.client import Client, Endpoint, Request
from lakebed.store.s3.credentials import Credentials
from tests.chaos.scene import Scene
from tests.e2e.buckets import Bucket
from tests.e2e.gateway import Asked, Gateway
from tests.e2e.process import Ended, Lakebed
from tests.fixtures_stores import Served
from tests.operations.expected import after_sync

CANARY = ".lakebed-"
"""What a run leaves that was killed while it probed; it says of itself that it may be deleted."""
CODES = {OperationState.COMPLETED: Exit.COMPLETED, OperationState.QUARANTINED: Exit.QUARANTINED}
IN_PARTS = 5 * MIB
"""Bytes from which on an object may have been uploaded in parts: the least that S3 allows."""


@dataclass(frozen=True, slots=True)
class Kill:
    """`moment` in seconds from the start of the operation; `done` were done by then, durably, and
    the gateway had seen `requests`."""

    moment: float
    done: frozenset[str]
    requests: int


@dataclass(frozen=True, slots=True)
class Played:
    """What happened in a round. `uploads` None: there is no command that aborts them."""

    scene: Scene
    state: str
    objects: int
    kills: list[Kill]
    canaries: int
    uploads: bool | None

    def __str__(self) -> str:
        kills = ", ".join(f"{kill.moment:.2f} s ({len(kill.done)} done)" for kill in self.kills)
        return (
            f"seed {self.scene.seed:<10} {self.scene.way.name:<11} killed at {kills or 'no time'}; "
            f"then {self.state}, {self.objects} objects"
            + (f", {self.canaries} canaries left" if self.canaries else "")
            + (", uploads not looked for" if self.uploads is None else "")
        )


@dataclass
class Ground:
    """Where rounds are played: a store, the command, and the gateway through which it goes."""

    served: Served
    lakebed: Lakebed
    gateway: Gateway
    new_bucket: Callable[[], Bucket]
    seconds: dict[str, float] = field(default_factory=dict)
    """How long a run of each way takes that nobody kills."""

    def play(self, scene: Scene) -> Played:
        """Raises AssertionError where something does not hold."""
        if scene.way.name not in self.seconds:
            self._measure(scene)
        with self._ends(scene) as (source, destination):
            destination.fill(scene.before)
            kills, ended = self._run(scene, source, destination)
            self._check(scene, ended, destination)
            self._check_nothing_repeated(kills, destination)
            return Played(
                scene,
                str(ended.summary["state"]),
                len(scene.source),
                kills,
                sum(key.startswith(CANARY) for key in destination.keys()),  # noqa: SIM118
                self._abort_uploads(scene, destination),
            )

    @contextmanager
    def _ends(self, scene: Scene) -> Iterator[tuple[Bucket, Bucket]]:
        source, destination = self.new_bucket(), self.new_bucket()
        source.fill(scene.source)
        yield source, destination
        source.clear()
        destination.clear()

    def _measure(self, scene: Scene) -> None:
        with self._ends(scene) as ends:
            with self.lakebed.started(*scene.arguments(*ends)) as running:
                running.until("started")
                began = time.monotonic()
                running.end()
            self.seconds[scene.way.name] = time.monotonic() - began

    def _run(self, scene: Scene, source: Bucket, destination: Bucket) -> tuple[list[Kill], Ended]:
        """Killed as the scene says, and then to its end; which may come before a kill."""
        kills: list[Kill] = []
        arguments = scene.arguments(source, destination)
        for share in scene.moments:
            moment = share * self.seconds[scene.way.name]
            with self.lakebed.started(*arguments) as running:
                operation = str(running.until("started")["operation_id"])
                if running.ends_within(moment):
                    return kills, running.end()
                running.signal(signal.SIGKILL)
                if running.end().code != -signal.SIGKILL:
                    return kills, running.end()
            kills.append(Kill(moment, self._done(operation), len(self.gateway.seen)))
            arguments = ("resume", operation, "--json")
        return kills, self.lakebed(*arguments)

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
        root = f"/{destination.name}/"
        for kill in kills:
            since = self.gateway.seen[kill.requests :]
            written = {_key(asked, root) for asked in since if asked.method in ("PUT", "POST")}
            assert not written & kill.done, "what was done was put again"

    def _done(self, operation: str) -> frozenset[str]:
        states = self._states(operation).items()
        return frozenset(key for key, state in states if state == "done")

    def _states(self, operation: str) -> dict[str, str]:
        """The rows of the ledger, read as any other program would."""
        ledger = self.lakebed.folder / "state/lakebed/ledger.sqlite"
        query = "select key, state from objects where operation = ?"
        with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as connection:
            return {bytes(k).decode(): state for k, state in connection.execute(query, [operation])}

    # --- uploads that a kill left ----------------------------------------------------------------

    @cached_property
    def aborts_uploads(self) -> bool:
        """Whether this Lakebed has a command for them."""
        return self.lakebed("uploads", "abort", "--help").code == Exit.COMPLETED

    def _abort_uploads(self, scene: Scene, destination: Bucket) -> bool | None:
        if not self.aborts_uploads:
            return None
        ended = self.lakebed("uploads", "abort")
        assert ended.code == Exit.COMPLETED, ended.err
        large = [key for key, data in scene.source.items() if len(data) >= IN_PARTS]
        assert not (left := self._uploads(destination, large)), f"uploads left: {left}"
        return True

    def _uploads(self, bucket: Bucket, keys: list[str]) -> list[str]:
        """Keys of which an upload is open. MinIO tells only of the very key that is asked for."""
        keys_of = Credentials(self.served.access_key, self.served.secret_key)
        endpoint = Endpoint("served", self.served.endpoint, "us-east-1")
        with closing(Client(endpoint, lambda: keys_of, Cancellation())) as client:
            return [
                key
                for key in keys
                for _ in texts(
                    document(
                        client.send(
                            Request("GET", bucket.name, query=(("prefix", key), ("uploads", "")))
                        ),
                        "ListMultipartUploadsResult",
                        key,
                    ),
                    "Upload",
                )
            ]


def _key(asked: Asked, root: str) -> str:
    return unquote(asked.path.partition("?")[0]).removeprefix(root)
