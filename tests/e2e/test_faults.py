"""A network that fails: nothing is lost, nothing is doubled, and nobody is told otherwise."""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from lakebed.model.location import LOCAL_STORE
from lakebed.model.operation import Lane, OperationState
from lakebed.model.quantity import MIB
from lakebed.store.contract import Store
from tests.e2e.buckets import open_served
from tests.e2e.line import Cut, HalfClosed, Late, Line, Narrow, Resets, Stall
from tests.e2e.mixes import MIXES, SMALL_ONES, Mix
from tests.e2e.network import behind, check_law
from tests.fixtures_stores import Served

SEED = 35
"""One percent hits the requests 4, 12, 79 and so on: some that every mix comes to."""


@dataclass(frozen=True)
class Trouble:
    name: str
    line: Callable[[], Line]
    most: float = math.inf
    """Bytes of objects that pass in a time that is worth it."""

    def __str__(self) -> str:
        return self.name


EVERY_TENTH = range(10, 100_000, 10)
PROBE = 60
"""Requests that the probe of the destination takes, at the most."""
STALLED = (12, 70, 80, 130)
"""One of the probe, and some while objects are moved."""
TROUBLES = (
    Trouble("latency-and-jitter", lambda: Late(0.01, jitter=0.03, seed=SEED)),
    Trouble("one-percent-resets", lambda: Resets(0.01, seed=SEED)),
    Trouble("ten-percent-resets", lambda: Resets(0.1, seed=SEED)),
    Trouble("stall", lambda: Stall(STALLED)),
    Trouble("stall-in-the-middle", lambda: Stall(STALLED, after=300)),
    Trouble("half-closed", lambda: HalfClosed(EVERY_TENTH)),
    Trouble("half-closed-in-the-middle", lambda: HalfClosed(EVERY_TENTH, after=300)),
    Trouble("one-megabyte-a-second", lambda: Narrow(1 * MIB), most=10 * MIB),
)


@pytest.fixture
def served_store(request: pytest.FixtureRequest) -> Iterator[tuple[Served, Store]]:
    served: Served = request.getfixturevalue(f"{request.param}_store")
    with closing(open_served(served)) as store:
        yield served, store


ON_EACH_STORE = {"sound", "one-percent-resets"}
"""Troubles of every lane on every store. Of the others a lane need be shown only one: what it makes
of a line is its own, and all troubles of each store are met by small objects."""


def _each(troubles: Iterable[Trouble], mixes: Iterable[Mix]) -> pytest.MarkDecorator:
    """A case for each trouble, mix, and store on which it is played."""
    cases = [
        pytest.param(engine, trouble, mix, id=f"{engine}-{mix}-{trouble}")
        for mix in mixes
        for trouble in troubles
        if sum(mix.sizes) <= trouble.most
        for engine in mix.engines
        if engine == "minio" or mix is SMALL_ONES or trouble.name in ON_EACH_STORE
    ]
    names = ("served_store", "trouble", "mix")
    return pytest.mark.parametrize(names, cases, indirect=["served_store"])


def _obeys(
    ends: tuple[Served, Store], trouble: Trouble, folder: Path, mix: Mix
) -> dict[Lane | str, int]:
    """The lanes that were taken."""
    served, store = ends
    line = trouble.line()
    with behind(served, line, folder, mix, store) as run:
        ended = check_law(run, mix.content(), heal=lambda: None)
    if isinstance(line, Cut):
        before = 0 if mix.destination == LOCAL_STORE else PROBE
        assert any(number > before for number in line.struck), "it was there while objects moved"
    assert ended[-1].state is OperationState.COMPLETED
    return {**ended[-1].lanes}


def test_a_line_breaks_the_requests_that_its_seed_says() -> None:
    hit = [number for number in range(1, 100) if Resets(0.01, seed=SEED).is_hit(number)]
    assert hit == [4, 12, 79]


@_each(TROUBLES, [SMALL_ONES])
def test_small_objects_arrive_once_and_whole(
    served_store: tuple[Served, Store], trouble: Trouble, mix: Mix, tmp_path: Path
) -> None:
    _obeys(served_store, trouble, tmp_path, mix)


@pytest.mark.long
@_each(TROUBLES, MIXES[1:])
def test_by_every_lane_objects_arrive_once_and_whole(
    served_store: tuple[Served, Store], trouble: Trouble, mix: Mix, tmp_path: Path
) -> None:
    _obeys(served_store, trouble, tmp_path, mix)


@_each([Trouble("sound", Line)], MIXES)
def test_on_a_sound_line_a_mix_takes_the_lanes_that_it_stands_for(
    served_store: tuple[Served, Store], trouble: Trouble, mix: Mix, tmp_path: Path
) -> None:
    lanes = _obeys(served_store, trouble, tmp_path, mix)
    assert lanes.keys() == {lane.value for lane in mix.lanes}
