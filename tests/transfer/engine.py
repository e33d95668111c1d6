"""Two stores in memory with the engine between them, and what must hold whatever goes wrong."""

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from lakebed.errors import Interrupted, LakebedError
from lakebed.model.location import Location
from lakebed.model.objects import Attributes
from lakebed.model.operation import Kind, ObjectState, Options, Outcome
from lakebed.model.pair import published_digest, sidecar_of
from lakebed.store.cancellation import Cancellation
from lakebed.store.capabilities import EVERYTHING, UNPROBED, Capabilities, Capability
from lakebed.store.contract import NO_ATTRIBUTES, Buffer, Properties, Store
from lakebed.store.memory import MemoryStore
from lakebed.store.wrappers.retry import Backoff, Retry
from lakebed.transfer import sync
from lakebed.transfer.budget import Budget
from lakebed.transfer.progress import Progress
from lakebed.transfer.sides import Side, Sides
from tests.faults import PATIENCE, Faulty
from tests.transfer.memory_recorder import MemoryRecorder

SOURCE = Location("binance", "public", "spot/")
FEW = Options(concurrency=4)
DESTINATION = Location("lake", "bronze", "b/")


def able(*missing: Capability) -> Capabilities:
    """Nothing is packed either: what goes wrong with one object is the clearer."""
    return EVERYTHING.without(frozenset((Capability.UNPACK, *missing)))


ONE_BY_ONE = able()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def sidecar(name: str, data: bytes) -> bytes:
    """What a publisher writes beside `data`."""
    return f"{sha256(data)}  {name.rpartition('/')[2]}\n".encode()


def read(store: Store, bucket: str, key: str) -> bytes:
    pieces: list[bytes] = []
    store.get(bucket, key, pieces.append)
    return b"".join(pieces)


def keys(store: Store, bucket: str) -> Iterator[str]:
    token: str | None = None
    while True:
        page = store.list_page(bucket, token=token)
        yield from (found.key for found in page.objects)
        if page.token is None:
            return
        token = page.token


def tiny_parts(identity: str) -> Properties:
    return Properties(identity=identity, min_part=1)


@dataclass
class Engine:
    """One operation over two faulty stores. Each `run` is a process of its own: a new budget, new
    retries, a new cancellation, and the same recorder."""

    options: Options = FEW
    source_at: Location = SOURCE
    destination_at: Location = DESTINATION
    source_can: Capabilities = UNPROBED
    destination_can: Capabilities = ONE_BY_ONE
    one_store: bool = False
    sidecars: bool = True
    retries: int = 3
    kind: Kind = Kind.SYNC
    recorder: MemoryRecorder = field(default_factory=MemoryRecorder)

    def __post_init__(self) -> None:
        self.cancellation = Cancellation()
        self.budget = Budget(self.options.memory, self.cancellation)
        self.progress = Progress()
        self.held_source = MemoryStore(
            "binance", buckets=[self.source_at.bucket], properties=tiny_parts("binance")
        )
        self.held = self.held_source
        if self.one_store:
            self.held.create_bucket(self.destination_at.bucket)
        else:
            self.held = MemoryStore(
                "lake", buckets=[self.destination_at.bucket], properties=tiny_parts("lake")
            )
        self.source = Faulty(self.held_source)
        self.destination = Faulty(self.held)
        self.published: dict[str, set[bytes]] = {}
        self.before: dict[str, bytes] = {}

    # --- what is there ---------------------------------------------------------------------------

    def publish(self, name: str, data: bytes, attributes: Attributes = NO_ATTRIBUTES) -> None:
        self.published.setdefault(name, set()).add(data)
        key = self.source_at.key(name)
        self.held_source.put(self.source_at.bucket, key, Buffer((data,)), attributes=attributes)

    def publish_pair(self, name: str, data: bytes, digest_of: bytes | None = None) -> None:
        """A pair, whose sidecar names the digest of `digest_of` where that is something else."""
        self.publish(name, data)
        self.publish(sidecar_of(name), sidecar(name, data if digest_of is None else digest_of))

    def withdraw(self, name: str) -> None:
        self.held_source.delete(self.source_at.bucket, self.source_at.key(name))

    def hold(self, name: str, data: bytes) -> None:
        """Put it at the destination before the run."""
        key = self.destination_at.key(name)
        self.held.put(self.destination_at.bucket, key, Buffer((data,)))

    def at_source(self) -> set[str]:
        bucket, path = self.source_at.bucket, self.source_at.path
        return {key.removeprefix(path) for key in keys(self.held_source, bucket)}

    def at_destination(self) -> dict[str, bytes]:
        bucket, path = self.destination_at.bucket, self.destination_at.path
        return {
            key.removeprefix(path): read(self.held, bucket, key) for key in keys(self.held, bucket)
        }

    def outcome(self, name: str) -> Outcome:
        return self.recorder.outcomes[name]

    def states(self) -> dict[str, ObjectState]:
        return self.recorder.states

    # --- the run ---------------------------------------------------------------------------------

    def sides(self) -> Sides:
        self.cancellation = Cancellation()
        self.budget = Budget(self.options.memory, self.cancellation)
        self.progress = Progress()
        return Sides(
            Side(self._retried(self.source), self.source_at, self.source_can, self.sidecars),
            Side(self._retried(self.destination), self.destination_at, self.destination_can),
            self.options,
            self.budget,
            self.cancellation,
            self.progress,
        )

    def _retried(self, store: Store) -> Store:
        backoff = Backoff(retries=self.retries, first=0.0, longest=0.0)
        return Retry(store, backoff, self.cancellation, lambda *_: self.progress.add_retry())

    def run(self) -> LakebedError | None:
        """Run to its end; what ended it, where that was an error. Asserts the invariants."""
        self.before = self.at_destination()
        sides = self.sides()
        error: LakebedError | None = None
        hangs = threading.Timer(PATIENCE, sides.cancellation.stop, [Interrupted("it hangs")])
        hangs.start()
        try:
            sync.run(sides, self.recorder, self.kind, settle=0.0)
        except LakebedError as ended:
            error = ended
        finally:
            hangs.cancel()
            hangs.join()
        assert_invariants(self, finished=error is None)
        return error

    def again(self) -> LakebedError | None:
        """Another operation between the same ends."""
        self.recorder.begin()
        return self.run()


def assert_invariants(engine: Engine, *, finished: bool) -> None:
    """What the design promises of any run, also of one that was ended."""
    recorder, now = engine.recorder, engine.at_destination()
    if engine.kind is Kind.SYNC:
        for key in recorder.in_state(ObjectState.DONE):
            assert_arrived(engine, key, now)
    for key in recorder.in_state(ObjectState.QUARANTINED) | recorder.in_state(ObjectState.FAILED):
        allowed = {engine.before.get(key), *engine.published.get(key, ())}
        assert now.get(key) in allowed | {None}
    for key in recorder.in_state(ObjectState.QUARANTINED):
        assert now.get(key) == engine.before.get(key), f"{key} was refused and is there"
    assert set(now) <= set(engine.published) | set(engine.before), "a foreign key"
    gone = set(engine.before) - set(now)
    if not engine.options.delete:
        assert not gone, "something was deleted that nobody asked to delete"
    assert gone <= set(recorder.states), "deleted, and the recorder does not know"
    # What is left unfinished another run can go on with.
    unfinished = engine.held.unfinished_uploads(engine.destination_at.bucket)
    assert set(unfinished) <= set(recorder.uploads.held), "an upload that nobody remembers"
    assert engine.budget.held == 0
    assert engine.progress.in_flight == 0
    assert not [t.name for t in threading.enumerate() if t.name.startswith("lakebed-")]
    planned = [key for what, key in recorder.events if what == "planned"]
    assert len(planned) == len(set(planned))
    if finished:
        assert not recorder.in_state(ObjectState.PENDING)


def assert_arrived(engine: Engine, key: str, now: dict[str, bytes]) -> None:
    outcome = engine.outcome(key)
    assert now[key] in engine.published[key], f"{key} is not what was published"
    assert outcome.size == len(now[key])
    assert outcome.sha256 in (None, sha256(now[key]))
    assert outcome.proof is not None
    word = now.get(sidecar_of(key)) if engine.sidecars else None
    if word is not None and sidecar_of(key) in engine.recorder.in_state(ObjectState.DONE):
        assert published_digest(word, key) == sha256(now[key]), f"{key} is not as published"
