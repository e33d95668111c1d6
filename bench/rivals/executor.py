"""The executor under load: programs of ours that start a replica and ask it, one a case."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from bench.rivals.lakebed import Lakebed
from bench.rivals.rival import ROOT, Command, Job
from bench.service.apart import STORES


@dataclass(frozen=True, slots=True)
class Executor:
    """`program` is a module in `bench/service`; it prints its figures."""

    name: str
    program: str
    proof: str = Lakebed().proof

    def version(self) -> str:
        return Lakebed().version()

    def commands(self, job: Job) -> list[Command]:
        ends = (f"{end.store}:{end.bucket}/" for end in (job.source, job.target))
        return [(sys.executable, "-m", f"bench.service.{self.program}", *ends)]

    def environment(self, job: Job) -> Mapping[str, str]:
        stores = " ".join(map(str, job.stores))
        return {**Lakebed().environment(job), "PYTHONPATH": str(ROOT), STORES: stores}

    def told(self, log: str) -> str:
        return ""


RIVALS = (
    Executor("executor", "overhead"),
    Executor("executor asked", "status"),
    Executor("executor begun", "first_byte"),
    Executor("executor watched", "streams"),
    Executor("executor filled", "memory"),
)
