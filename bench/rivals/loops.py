"""Bare loops on our own client, without a ledger: the floors."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.rivals.rival import ROOT, Command, Job

LOOPS = Path(__file__).parents[1] / "loops"
COPYING, LISTINGS = "copying.py", "listings.py"


@dataclass(frozen=True, slots=True)
class Loop:
    name: str
    script: str
    proof: str

    def version(self) -> str:
        return f"Python {sys.version.partition(' ')[0]}"

    def commands(self, job: Job) -> list[Command]:
        workers = () if job.workers is None else (f"--workers={job.workers}",)
        ends = (job.source.endpoint, job.source.bucket, job.target.endpoint, job.target.bucket)
        # What lists two full sides needs them full first.
        script = self.script if job.again else COPYING
        return [(sys.executable, str(LOOPS / script), *ends, *workers)]

    def environment(self, job: Job) -> Mapping[str, str]:
        return {"PYTHONPATH": str(ROOT)}

    def told(self, log: str) -> str:
        return ""


RIVALS = (
    Loop("bare loop", COPYING, "SHA-256 computed, compared with nothing"),
    Loop("bare listings", LISTINGS, "none"),
)
