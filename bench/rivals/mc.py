"""mc mirror; it finds its concurrency by itself and takes no number."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from bench.programs import MC
from bench.rivals.rival import Command, Job, first_line, program


def _binary() -> str:
    return program("mc") if not MC.is_built else str(MC.path)


@dataclass(frozen=True, slots=True)
class Mc:
    name: str = "mc"
    proof: str = "none"

    def version(self) -> str | None:
        said = first_line(_binary(), "--version")
        return f"mc {MC.version}" if said and MC.is_built else said

    def commands(self, job: Job) -> list[Command]:
        ends = (f"{end.store}/{end.bucket}" for end in (job.source, job.target))
        return [(_binary(), "--quiet", "mirror", *ends)]

    def environment(self, job: Job) -> Mapping[str, str]:
        identity = f"{job.credentials.access_key}:{job.credentials.secret_key}"
        return {
            f"MC_HOST_{end.store}": f"http://{identity}@{urlsplit(end.endpoint).netloc}"
            for end in (job.source, job.target)
        }

    def told(self, log: str) -> str:
        return ""


RIVALS = (Mc(),)
