"""A session: one pair of stores, one case after the other, rivals in turn."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from bench.cases.case import FLOORS, Case, Start
from bench.check import Listing, listing
from bench.data import Dataset
from bench.loading import load
from bench.results import Measured, Run, Series
from bench.rivals import RIVALS
from bench.rivals.rival import Rival
from bench.shaping import ceiling
from bench.stores import Server, Stores
from bench.workplace import Field, Workplace, workplace

Say = Callable[[str], None]
_NOTHING = Dataset("nothing", ())


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured. `rivals` empty: all of a case."""

    repeat: int = 3
    scale: float = 1.0
    rivals: tuple[str, ...] = ()


class Session:
    """Measures cases on `stores`; data that two cases share is loaded once.

    `folder` is the clients' own disk. `say` gets a line for each step.
    """

    def __init__(self, stores: Stores, folder: Path, size: Size, say: Say) -> None:
        self._stores = stores
        self._folder = folder
        self._size = size
        self._say = say
        self._loaded: dict[tuple[str, str], Listing] = {}
        self._numbers = count(1)

    def measured(self, case: Case) -> Measured:
        """Each rival of the case that is present, run by run in turn."""
        start = time.monotonic()
        asked = self._size.rivals
        rivals = [RIVALS[name] for name in case.rivals if not asked or name in asked]
        present = [rival for rival in rivals if rival.version()]
        dataset = case.dataset(self._size.scale) if case.dataset else _NOTHING
        wanted = self._holding(dataset, self._stores.source)
        if case.start is Start.LOADED:
            self._holding(dataset, self._stores.target)
        field = Field(case, self._stores, dataset.name, wanted)
        note = f"passes {ceiling(self._stores, dataset.name):,.0f}" if case.shaping else ""
        series = self._series(field, present)
        return Measured(
            case=case.name,
            objects=len(wanted),
            bytes=sum(found.size for found in wanted.values()),
            scale=self._size.scale,
            series=series,
            seconds=time.monotonic() - start,
            absent=tuple(rival.name for rival in rivals if rival not in present),
            note=note and f"The proxy before the source {note} requests a second by itself.",
        )

    def _holding(self, dataset: Dataset, server: Server) -> Listing:
        """What a server holds of a data set, loaded where it is not there yet."""
        place = server.name, dataset.name
        if place not in self._loaded:
            self._say(f"loading {dataset.objects:,} objects into the {server.name}")
            server.store.create_bucket(dataset.name)
            load(dataset, server.store, dataset.name)
            found = listing(server.store, dataset.name)
            assert len(found) == dataset.objects, f"loaded {len(found)} of {dataset.objects}"
            self._loaded[place] = found
        return self._loaded[place]

    def _series(self, field: Field, rivals: Sequence[Rival]) -> tuple[Series, ...]:
        """The counted runs of each rival; who begins changes from turn to turn."""
        case = field.case
        turns = min(self._size.repeat, case.repeats or self._size.repeat)
        runs: dict[str, list[Run]] = {rival.name: [] for rival in rivals}
        with ExitStack() as kept:
            run = self._prepared(field, rivals, kept)
            for turn in range(turns):
                for rival in _from(rivals, turn):
                    one = run(rival)
                    self._say(f"{case.name}, turn {turn + 1}, {rival.name}: {_line(one)}")
                    runs[rival.name].append(one)
        return tuple(Series(rival.name, rival.proof, tuple(runs[rival.name])) for rival in rivals)

    def _prepared(
        self, field: Field, rivals: Sequence[Rival], kept: ExitStack
    ) -> Callable[[Rival], Run]:
        """What runs a rival once, after what must happen first: copies to compare, a warm-up."""
        case = field.case
        if case.start is Start.OWN:
            places = {one.name: kept.enter_context(self._place(field, one)) for one in rivals}
            for rival in rivals:
                first = places[rival.name].run(again=False)
                self._say(f"{case.name}, made by {rival.name}: {_line(first)}")
            return lambda rival: places[rival.name].run(again=True)

        def alone(rival: Rival) -> Run:
            with self._place(field, rival) as place:
                return place.run(again=case.start is Start.LOADED)

        if case.repeats != 1:
            floors = [rival for rival in rivals if rival.name in FLOORS]
            for rival in (floors or rivals)[:1]:
                self._say(f"{case.name}, warm-up, {rival.name}: {_line(alone(rival))}")
        return alone

    def _place(self, field: Field, rival: Rival) -> AbstractContextManager[Workplace]:
        name = f"{field.case.name.replace('_', '-')}-{next(self._numbers)}"
        return workplace(field, rival, self._folder / name)


def _from(rivals: Sequence[Rival], turn: int) -> Iterator[Rival]:
    """All of them, beginning with another one each turn."""
    first = turn % len(rivals) if rivals else 0
    yield from rivals[first:]
    yield from rivals[:first]


def _line(run: Run) -> str:
    return run.problem or f"{run.wall:.2f} s, {run.cpu:.2f} s of CPU, {run.peak / 1e6:.0f} MB"
