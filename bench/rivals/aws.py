"""aws s3 sync: down to disk and up again, or inside one endpoint by the store itself."""

from collections.abc import Mapping
from dataclasses import dataclass

from bench.rivals.rival import Command, Job, first_line, program


@dataclass(frozen=True, slots=True)
class Aws:
    name: str = "aws"
    proof: str = "checksum of the upload (CRC64NVME)"

    def version(self) -> str | None:
        said = first_line(program("aws"), "--version")
        return said and said.partition(" ")[0].replace("/", " ")

    def commands(self, job: Job) -> list[Command]:
        def run(endpoint: str, *ends: str) -> Command:
            options = ("--endpoint-url", endpoint, "--only-show-errors")
            return (program("aws"), "s3", "sync", *ends, *options)

        if job.same_endpoint:
            return [run(job.source.endpoint, job.source.url, job.target.url)]
        return [
            run(job.source.endpoint, job.source.url, job.down),
            run(job.target.endpoint, job.down, job.target.url),
        ]

    def environment(self, job: Job) -> Mapping[str, str]:
        if job.workers is None:
            return {}
        # It reads its concurrency from a file only.
        settings = job.folder / "aws-config"
        lines = f"[default]\ns3 =\n  max_concurrent_requests = {job.workers}\n"
        settings.write_text(lines, encoding="utf-8")
        return {"AWS_CONFIG_FILE": str(settings)}

    def told(self, log: str) -> str:
        return ""


RIVALS = (Aws(),)
