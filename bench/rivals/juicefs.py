"""JuiceFS sync, where its program is on the PATH: no package index has it."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from bench.rivals.rival import Command, Job, first_line, program


@dataclass(frozen=True, slots=True)
class JuiceFS:
    name: str = "juicefs"
    flags: tuple[str, ...] = ()
    proof: str = "none"

    def version(self) -> str | None:
        return first_line(program("juicefs"), "--version")

    def commands(self, job: Job) -> list[Command]:
        ends = (
            f"minio://{urlsplit(end.endpoint).netloc}/{end.bucket}/"
            for end in (job.source, job.target)
        )
        return [(program("juicefs"), "sync", "--threads=50", *self.flags, *ends)]

    def environment(self, job: Job) -> Mapping[str, str]:
        return {
            "MINIO_ACCESS_KEY": job.credentials.access_key,
            "MINIO_SECRET_KEY": job.credentials.secret_key,
        }

    def told(self, log: str) -> str:
        return ""


RIVALS = (
    JuiceFS(),
    JuiceFS("juicefs --check-new", ("--check-new",), "bytes read back and compared"),
)
