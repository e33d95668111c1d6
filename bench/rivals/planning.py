"""Planning alone on a synthetic store, where `bench/planning.py` is present."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from bench.rivals.rival import ROOT, Command, Job

SCRIPT = ROOT / "bench" / "planning.py"


@dataclass(frozen=True, slots=True)
class Planning:
    name: str = "planning"
    proof: str = "none: nothing is moved"

    def version(self) -> str | None:
        return f"Python {sys.version.partition(' ')[0]}" if SCRIPT.is_file() else None

    def commands(self, job: Job) -> list[Command]:
        return [(sys.executable, str(SCRIPT), "synthetic")]

    def environment(self, job: Job) -> Mapping[str, str]:
        return {"PYTHONPATH": str(ROOT)}

    def told(self, log: str) -> str:
        return log.strip()


RIVALS = (Planning(),)
