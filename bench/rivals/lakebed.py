"""Lakebed: no flag given; and its own traditional mode, through a temporary file."""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import lakebed
from bench.rivals.rival import Command, Job
from lakebed.store.capabilities import Capability

PROGRAM = str(Path(sys.executable).with_name("lakebed"))
_TOLD = re.compile(r"  (proved by|lanes|quarantined|failed)\b")
"""The lines of its summary that say how objects went, and what did not."""


@dataclass(frozen=True, slots=True)
class Lakebed:
    name: str = "lakebed"
    flags: tuple[str, ...] = ()
    proof: str = "publisher's SHA-256, else MD5 ETag; in a ledger"

    def version(self) -> str:
        return f"lakebed {lakebed.__version__}"

    def commands(self, job: Job) -> list[Command]:
        ends = (f"{end.store}:{end.bucket}/" for end in (job.source, job.target))
        return [(PROGRAM, "sync", *ends, *self.flags)]

    def environment(self, job: Job) -> Mapping[str, str]:
        settings: dict[str, str] = {}
        for end in (job.source, job.target):
            prefix = f"LAKEBED_STORES__{end.store.upper()}__"
            settings[f"{prefix}ENDPOINT"] = end.endpoint
            settings[f"{prefix}ACCESS_KEY"] = "env:AWS_ACCESS_KEY_ID"
            settings[f"{prefix}SECRET_KEY"] = "env:AWS_SECRET_ACCESS_KEY"
        # A version that cannot unpack has nothing to disable.
        disabled = set(job.disable) & set(Capability)
        if disabled:
            settings[f"LAKEBED_STORES__{job.target.store.upper()}__DISABLE"] = ",".join(disabled)
        return settings

    def told(self, log: str) -> str:
        return "; ".join(" ".join(line.split()) for line in log.splitlines() if _TOLD.match(line))


RIVALS = (Lakebed(), Lakebed("traditional", ("--mode", "traditional")))
