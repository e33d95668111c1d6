"""The same law where a store itself fails: in memory, call by call, and without a clock."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from lakebed.model.location import LOCAL_STORE, Location
from lakebed.model.operation import OperationState
from lakebed.operations import ends
from lakebed.operations.run import Platform
from lakebed.settings import Settings
from lakebed.settings.store import StoreSettings
from lakebed.store.cancellation import Cancellation
from lakebed.store.contract import Store
from lakebed.store.folder.store import FolderStore
from lakebed.store.memory import MemoryStore
from lakebed.store.wrappers.retry import Backoff, Retry
from lakebed.transfer import sync
from tests.e2e.buckets import place
from tests.e2e.mixes import MIXES, Mix
from tests.e2e.network import Run, check_law, request_of
from tests.faults import Drop, Fail, Fault, Faulty, Flip, LoseAck, Throttle, Truncate

AT_ONCE = Backoff(retries=5, first=0.0, longest=0.0)
ENDS = ("here", "there")
READS = ("list_page", "head", "get")
BATCHES = ("put_many", "copy_many")
WRITES = ("put", "copy", "delete", *BATCHES)
PARTS = ("create_upload", "upload_part", "list_parts", "complete_upload")


@dataclass(frozen=True)
class Shaky:
    """Stores by their names, and a run between them."""

    stores: dict[str, Faulty]
    run: Run

    def heal(self) -> None:
        for store in self.stores.values():
            store.heal()


Shake = Callable[[Faulty], None]


def _flip(nth: int) -> Fault:
    """Never the same bit: bytes that come wrong twice alike are taken for what the source holds."""
    return Flip(nth % 60)


def _shaken(
    fault: Fault | Callable[[int], Fault], verbs: tuple[str, ...], *, every: int, times: int = 1
) -> Shake:
    def shake(store: Faulty) -> None:
        for verb in verbs:
            first = 1 if verb in BATCHES else every  # there are few of them
            for nth in range(first, 20 * every, every + times):
                due = fault if isinstance(fault, Fault) else fault(nth)
                store.inject(due, verb, nth=nth, times=times)

    return shake


TROUBLES: dict[str, Shake] = {
    "dropped-connections": _shaken(Drop(), READS + WRITES + PARTS, every=5),
    "lost-answers": _shaken(LoseAck(), WRITES + PARTS, every=2),
    "cut-bodies": _shaken(Truncate(100), ("get", "put", "upload_part"), every=3),
    "flipped-bits": _shaken(_flip, ("get", "put", "upload_part"), every=6),
    "throttling": _shaken(Throttle(retry_after=0.0), READS + WRITES + PARTS, every=3, times=2),
    "internal-errors": _shaken(Fail(), READS + WRITES + PARTS, every=4, times=2),
    "away-for-longer-than-is-tried": _shaken(Drop(), READS + WRITES + PARTS, every=12, times=7),
}


@pytest.fixture
def shaky(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Mix], Shaky]:
    """The first call of a verb is number 1 when the probe is over: what it finds is not shaken."""
    sound: dict[str, Store] = {name: MemoryStore(name) for name in ENDS}
    sound[LOCAL_STORE] = FolderStore(Cancellation(), LOCAL_STORE)
    stores = {name: Faulty(store) for name, store in sound.items()}

    def opened(found: StoreSettings, cancellation: Cancellation, **policies: object) -> Store:
        return Retry(stores[found.name], AT_ONCE, cancellation)

    monkeypatch.setattr(ends, "open_store", opened)
    monkeypatch.setattr(sync, "run", partial(sync.run, settle=0.0))

    def make(mix: Mix) -> Shaky:
        settings = Settings(
            state=tmp_path,
            stores={
                name: StoreSettings(
                    name=name,
                    endpoint=f"http://{name}.test",
                    anonymous=True,
                    disable=mix.disabled,
                )
                for name in ENDS
            },
        )
        source, destination = (
            place(name, sound[name], tmp_path) for name in (mix.source, mix.destination)
        )
        there = Location(mix.destination, destination.name)
        request = request_of(mix, Location(mix.source, source.name), there)
        with Platform(settings) as platform:
            platform.capabilities(there)
        return Shaky(stores, Run(lambda: Platform(settings), request, source, destination))

    return make


@pytest.mark.parametrize("mix", MIXES, ids=str)
@pytest.mark.parametrize("trouble", TROUBLES)
def test_whatever_a_store_answers_objects_arrive_once_and_whole(
    shaky: Callable[[Mix], Shaky], mix: Mix, trouble: str
) -> None:
    scene = shaky(mix)
    for store in scene.stores.values():
        TROUBLES[trouble](store)

    ended = check_law(scene.run, mix.content(), scene.heal, most=8)

    assert ended[-1].state is OperationState.COMPLETED
    assert sum(len(store.injected) for store in scene.stores.values()), "nothing was injected"


@pytest.mark.parametrize("mix", MIXES, ids=str)
def test_no_upload_is_left_behind_by_a_store_that_fails(
    shaky: Callable[[Mix], Shaky], mix: Mix
) -> None:
    scene = shaky(mix)
    for store in scene.stores.values():
        _shaken(Drop(), ("upload_part",), every=1, times=7)(store)

    check_law(scene.run, mix.content(), scene.heal)

    there = scene.run.destination
    assert not [left for key in mix.content() for left in there.store.list_uploads(there.name, key)]
