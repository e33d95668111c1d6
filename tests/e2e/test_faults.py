"""A network that fails: nothing is lost, nothing is doubled, and nobody is told otherwise."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from lakebed.model.operation import Lane, OperationState
from lakebed.model.quantity import MIB
from tests.e2e.buckets import Bucket, open_served
from tests.e2e.line import HalfClosed, Late, Line, Narrow, Resets, Stall
from tests.e2e.mixes import MIXES, SMALL_ONES, Mix
from tests.e2e.network import behind, check_law
from tests.fixtures_stores import Served

SEED = 35
"""One percent hits the requests 4, 12, 79 and so on: some that every mix comes to."""


@dataclass(frozen=True)
class Trouble:
    name: str
    line: Callable[[], Line]

    def __str__(self) -> str:
        return self.name


EVERY_TENTH = range(10, 100_000, 10)
TROUBLES = (
    Trouble("latency-and-jitter", lambda: Late(0.01, jitter=0.03, seed=SEED)),
    Trouble("one-percent-resets", lambda: Resets(0.01, seed=SEED)),
    Trouble("ten-percent-resets", lambda: Resets(0.1, seed=SEED)),
    Trouble("stall", lambda: Stall((12, 30))),
    Trouble("stall-in-the-middle", lambda: Stall((13, 31), after=300)),
    Trouble("half-closed", lambda: HalfClosed(EVERY_TENTH)),
    Trouble("half-closed-in-the-middle", lambda: HalfClosed(EVERY_TENTH, after=300)),
    Trouble("one-megabyte-a-second", lambda: Narrow(1 * MIB)),
)


@pytest.fixture(params=["seaweedfs", "minio"])
def each_store(request: pytest.FixtureRequest) -> Iterator[tuple[Served, Bucket]]:
    served: Served = request.getfixturevalue(f"{request.param}_store")
    with closing(open_served(served)) as store:
        yield served, Bucket.create(store)


def _obeys(
    store: tuple[Served, Bucket], line: Line, folder: Path, mix: Mix
) -> dict[Lane | str, int]:
    """The lanes that were taken."""
    served, source = store
    with behind(served, line, folder, mix, source) as run:
        ended = check_law(run, mix.content(), heal=lambda: None)
    assert ended[-1].state is OperationState.COMPLETED
    return {**ended[-1].lanes}


def test_a_line_breaks_the_requests_that_its_seed_says() -> None:
    hit = [number for number in range(1, 100) if Resets(0.01, seed=SEED).is_hit(number)]
    assert hit == [4, 12, 79]


@pytest.mark.parametrize("trouble", TROUBLES, ids=str)
def test_small_objects_arrive_once_and_whole(
    each_store: tuple[Served, Bucket], trouble: Trouble, tmp_path: Path
) -> None:
    _obeys(each_store, trouble.line(), tmp_path, SMALL_ONES)


@pytest.mark.long
@pytest.mark.parametrize("mix", MIXES[1:], ids=str)
@pytest.mark.parametrize("trouble", TROUBLES, ids=str)
def test_by_every_lane_objects_arrive_once_and_whole(
    each_store: tuple[Served, Bucket], trouble: Trouble, mix: Mix, tmp_path: Path
) -> None:
    _obeys(each_store, trouble.line(), tmp_path, mix)


@pytest.mark.parametrize("mix", MIXES, ids=str)
def test_on_a_sound_line_a_mix_takes_the_lanes_that_it_stands_for(
    each_store: tuple[Served, Bucket], mix: Mix, tmp_path: Path
) -> None:
    assert _obeys(each_store, Line(), tmp_path, mix).keys() == {lane.value for lane in mix.lanes}
