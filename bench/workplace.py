"""Where one rival works in one case: a bucket and a folder of its own, gone afterwards."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench.cases.case import Case, Start
from bench.check import Listing, difference, listing
from bench.measure import measure
from bench.results import Run
from bench.rivals.rival import End, Job, Rival
from bench.shaping import shaped
from bench.stores import Server, Stores


@dataclass(frozen=True, slots=True)
class Field:
    """What all rivals of a case have before them. `bucket` is the source's."""

    case: Case
    stores: Stores
    bucket: str
    wanted: Listing

    @property
    def target(self) -> Server:
        return self.stores.source if self.case.same_endpoint else self.stores.target


@dataclass(frozen=True, slots=True)
class Workplace:
    """The rival's bucket at the target, and its folder on disk."""

    field: Field
    rival: Rival
    bucket: str
    folder: Path

    def run(self, again: bool) -> Run:
        """One run, and whether the target then holds everything. `again`: over a copy."""
        case, stores = self.field.case, self.field.stores
        with shaped(stores.source.endpoint, case.shaping) as source:
            run = measure(self.rival, self._job(source.endpoint, again), stores)
        if source.refused:
            refused = f"{source.refused} of its requests were refused"
            run = replace(run, note="; ".join(filter(None, (refused, run.note))))
        if run.problem:
            return run
        found = listing(self.field.target.store, self.bucket)
        return replace(run, problem=difference(self.field.wanted, found))

    def _job(self, source: str, again: bool) -> Job:
        target, case = self.field.target, self.field.case
        return Job(
            source=End("source", source, self.field.bucket),
            target=End(target.name, target.endpoint, self.bucket),
            folder=self.folder,
            credentials=self.field.stores.credentials,
            again=again,
            workers=case.workers,
            disable=case.disable,
            stores=tuple(server.pid for server in self.field.stores.both),
        )


@contextmanager
def workplace(field: Field, rival: Rival, folder: Path) -> Iterator[Workplace]:
    """One that is removed after the block; of its bucket only what the benchmark made new."""
    is_loaded = field.case.start is Start.LOADED
    bucket = field.bucket if is_loaded else folder.name
    if not is_loaded:
        field.target.store.create_bucket(bucket)
    folder.mkdir(parents=True)
    try:
        yield Workplace(field, rival, bucket, folder)
    finally:
        shutil.rmtree(folder)
        if not is_loaded:
            # Ten thousand calls would take longer than what is measured.
            shutil.rmtree(field.target.data / bucket)
