"""Anything that may happen to two ends, in any order, against a model of what they must hold."""

import hashlib
import shutil
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Connection, Engine

from lakebed.database.engine import open_engine
from lakebed.errors import Interrupted, LedgerError, StoreUnreachable
from lakebed.model.operation import (
    Compare,
    Kind,
    OnChange,
    OperationState,
    Options,
    Outcome,
    Proof,
    Request,
    Summary,
)
from lakebed.operations import run
from lakebed.operations.memory import LedgerMemory
from lakebed.operations.run import Platform
from lakebed.operations.settlement import Settlement
from lakebed.transfer import sync
from tests.operations.expected import Content, Expected, after_sync, is_sound
from tests.operations.platform import World, request

ARCHIVES = st.sampled_from(["a.zip", "b.zip", "d/c.zip"])
LONE = st.sampled_from(["x", "d/y", "z"])
KEYS = ARCHIVES | LONE | ARCHIVES.map("{}.CHECKSUM".format)
DATA = st.binary(max_size=3)
"""So short that revisions come again."""
OPTIONS = st.builds(
    Options,
    concurrency=st.just(2),
    delete=st.booleans(),
    delete_source=st.booleans(),
    on_change=st.sampled_from(OnChange),
    compare=st.sampled_from([Compare.AUTO, Compare.ETAG, Compare.DIGEST]),
)
INTO, CANARY = "in/", ".lakebed-"
STOPPED = {OperationState.INTERRUPTED, OperationState.FAILED}


class Ends(RuleBasedStateMachine):
    """A source and a destination, the operation that a crash left, and who wrote what."""

    template: Path
    open_engine: Callable[[str], Engine]

    @initialize(packs=st.booleans())
    def begin(self, packs: bool) -> None:
        self.patches = pytest.MonkeyPatch()
        self.folder = self.template.parent / "state"
        self.folder.mkdir()
        self.world = World(self.folder, self.patches, packs=packs)
        shutil.copy(self.template, self.folder)
        self.source: Content = {}
        self.destination: Content = {}
        self.ever: set[tuple[str, bytes]] = set()
        """What the source or a stranger ever put under a key."""
        self.has_crashed = self.has_verified = False
        """Where threads are when it strikes decides what becomes of it. So no precondition asks
        what became of it: the same draws are the same steps each time."""
        self.crashed: str | None = None
        self.expected: Expected | None = None
        """Of the operation that crashed, unless the ends changed since."""
        self.ledger_is_broken = False
        self.patches.setattr(run, "open_engine", self.open_engine)
        self.patches.setattr(sync, "run", partial(sync.run, settle=0.0))
        self.patches.setattr(Settlement, "write", self._breakable(Settlement.write))

    def teardown(self) -> None:
        if hasattr(self, "patches"):
            self.patches.undo()
            shutil.rmtree(self.folder)

    # --- what a publisher and a stranger do ------------------------------------------------------

    @rule(name=ARCHIVES, data=DATA, published=st.none() | DATA)
    def publish(self, name: str, data: bytes, published: bytes | None) -> None:
        """A pair, whose sidecar may name the digest of something else."""
        digest = hashlib.sha256(data if published is None else published).hexdigest()
        self._put("src", name, data)
        self._put("src", f"{name}.CHECKSUM", f"{digest}  {name.rpartition('/')[2]}\n".encode())

    @rule(key=KEYS, data=DATA)
    def put_or_replace_one(self, key: str, data: bytes) -> None:
        self._put("src", key, data)

    @rule(key=KEYS)
    def delete_at_the_source(self, key: str) -> None:
        self.source.pop(key, None)
        self.has_verified = False
        self.world.stores["src"].delete("b", key)
        self.expected = None

    @rule(key=KEYS, data=DATA)
    def a_stranger_writes_to_the_destination(self, key: str, data: bytes) -> None:
        self._put("dst", key, data)

    # --- what we do ------------------------------------------------------------------------------

    @rule(options=OPTIONS)
    def sync(self, options: Options) -> None:
        self.has_verified = False
        expected = self._after_sync(options)
        with self.world.platform() as platform:
            summary = platform.sync(request(options=options))
        self._take(expected, summary)

    @rule(
        options=OPTIONS,
        nth=st.integers(1, 40),
        how=st.sampled_from(["killed", "source", "destination", "ledger"]),
    )
    def sync_and_crash(self, options: Options, nth: int, how: str) -> None:
        self.has_crashed, self.has_verified = True, False
        expected, is_open = self._after_sync(options), self._leaves_open(options)
        self._break(nth, how)
        with self.world.platform() as platform:
            summary = self._sync_until(platform, request(options=options))
        self._heal()
        if summary.state in STOPPED and summary.error != "limit-reached":
            canaries = {k: v for k, v in self._held("dst").items() if k.startswith(CANARY)}
            if canaries:  # who is stopped cannot take them away
                self.destination |= canaries
                self.ever |= canaries.items()
                expected = self._after_sync(options)
            self._take_halfway(expected)
            self.crashed, self.expected = summary.operation_id, None if is_open else expected
        else:
            self._take(expected, summary)

    @precondition(lambda self: self.has_crashed)
    @rule()
    def resume(self) -> None:
        self.has_crashed = self.has_verified = False
        if self.crashed is None:
            return
        with self.world.platform() as platform:
            summary = platform.resume(str(self.crashed))
        self.crashed = None
        assert not summary.pending or summary.state is OperationState.FAILED
        if self.expected is not None:
            self._take(self.expected, summary)
        else:
            self._take_unlost()

    @precondition(lambda self: not self.has_verified)
    @rule()
    def verify(self) -> None:
        self.has_verified = True
        with self.world.platform() as platform:
            summary = platform.sync(request(Kind.VERIFY))
        # What its publisher's digest refuses at the source is proved where the digest is met.
        sound = {key: self.source[key] for key in self.source if is_sound(self.source, key)}
        if not sound.items() <= self.destination.items():
            assert summary.state is not OperationState.COMPLETED
        elif sound == self.source:
            assert summary.state is OperationState.COMPLETED

    # --- what is always so -----------------------------------------------------------------------

    @invariant()
    def nothing_changed_behind_the_model(self) -> None:
        if hasattr(self, "world"):
            assert self._held("src") == self.source
            assert self._held("dst") == self.destination
            assert self.destination.items() <= self.ever

    # --- inside ----------------------------------------------------------------------------------

    def _put(self, store: str, key: str, data: bytes) -> None:
        content = self.source if store == "src" else self.destination
        content[key] = data
        self.has_verified = False
        self.ever.add((key, data))
        self.expected = None
        self.world.put(key if store == "src" else INTO + key, data, store)

    def _held(self, store: str) -> Content:
        prefix = "" if store == "src" else INTO
        found: Content = {}
        for listed in self.world.stores[store].list_page("b", prefix).objects:
            pieces: list[bytes] = []
            self.world.stores[store].get("b", listed.key, pieces.append)
            found[listed.key.removeprefix(prefix)] = b"".join(pieces)
        return found

    def _after_sync(self, options: Options) -> Expected:
        return after_sync(self.source, self.destination, options, self._proved())

    def _leaves_open(self, options: Options) -> bool:
        """Whether a resume may copy what a new run would refuse: the source's own bytes, whose copy
        was not proved as was asked for. Planned before the crash they may be that run's own copy,
        and are made again; planned after it they are somebody else's."""
        if options.compare is not Compare.DIGEST or options.on_change is OnChange.REPLACE:
            return False
        proved = self._proved()
        same = {key for key, data in self.source.items() if self.destination.get(key) == data}
        return bool(same - proved)

    def _proved(self) -> set[str]:
        """What is remembered of the copies that are still there; how they were moved says how they
        were proved, and that is no business of the model."""
        both = self.source.keys() & self.destination.keys()
        with self.world.platform() as platform:
            remembered = LedgerMemory(platform.ledger.engine, request()).copies(sorted(both))
        return {
            key
            for key, last in remembered.items()
            if last.proof in (Proof.PUBLISHER_SHA256, Proof.SERVER_CHECKSUM)
            if last.source_etag == _md5(self.source[key])
            if last.destination_etag == _md5(self.destination[key])
        }

    def _sync_until(self, platform: Platform, wanted: Request) -> Summary:
        try:
            return platform.sync(wanted)
        except LedgerError:
            (last,) = platform.ledger.list(limit=1)
            return platform.ledger.summary(last.id)

    def _take(self, expected: Expected, summary: Summary) -> None:
        assert summary.state is expected.state, summary
        self.source, self.destination = expected.source, expected.destination
        self.expected = None

    def _take_halfway(self, expected: Expected) -> None:
        """Each object as it was before or as it is to be; the invariant asks for the rest."""
        source, destination = self._held("src"), self._held("dst")
        for key in source | self.source:
            assert source.get(key) in (self.source.get(key), expected.source.get(key))
        for key in destination | self.destination:
            now = destination.get(key)
            assert now in (self.destination.get(key), expected.destination.get(key))
        self._take_unlost()

    def _take_unlost(self) -> None:
        source, destination = self._held("src"), self._held("dst")
        assert self.source.items() <= source.items() | destination.items(), "moved, not lost"
        self.source, self.destination = source, destination

    def _break(self, nth: int, how: str) -> None:
        """From the nth call of a store on, or at once where the ledger is to fail."""
        self.ledger_is_broken = how == "ledger"
        left = [nth]

        def hook(verb: str, subject: str) -> None:
            left[0] -= 1
            if left[0] < 0 and how == "killed":
                raise Interrupted("killed")
            if left[0] < 0 and subject.startswith({"source": "src", "destination": "dst"}[how]):
                raise StoreUnreachable("away", subject=subject)

        if how != "ledger":
            self.world.hooks.append(hook)

    def _heal(self) -> None:
        self.world.hooks.clear()
        self.ledger_is_broken = False

    def _breakable(self, write: Callable[..., None]) -> Callable[..., None]:
        def written(
            settlement: Settlement, connection: Connection, outcomes: Sequence[Outcome], now: float
        ) -> None:
            if self.ledger_is_broken:
                raise LedgerError("the disk is full")
            write(settlement, connection, outcomes, now)

        return written


def _md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def _run(template: Path, examples: int, steps: int) -> None:
    class Machine(Ends):
        pass

    Machine.template = template
    # Each use disposes of it, so closes the file; what it compiled once is kept for all examples.
    Machine.open_engine = staticmethod(cache(open_engine))
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )


@pytest.fixture
def template(sqlite_template: Path, tmp_path: Path) -> Path:
    """A migrated ledger under the name that a platform gives it."""
    path = tmp_path / "ledger.sqlite"
    shutil.copy(sqlite_template, path)
    return path


def test_whatever_happens_the_destination_holds_what_it_must(template: Path) -> None:
    _run(template, examples=8, steps=10)


@pytest.mark.long
def test_whatever_happens_for_long_the_destination_holds_what_it_must(template: Path) -> None:
    _run(template, examples=250, steps=30)
