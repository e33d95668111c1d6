"""rclone: as it comes, and as its pages on S3 advise for many objects."""

from collections.abc import Mapping
from dataclasses import dataclass

from bench.rivals.rival import Command, Job, first_line, program

TUNED = ("--transfers=64", "--checkers=64", "--fast-list", "--checksum", "--use-server-modtime")
"""Objects in flight; few listings; no HEAD for the time that it keeps in metadata."""


@dataclass(frozen=True, slots=True)
class Rclone:
    name: str = "rclone"
    flags: tuple[str, ...] = ()
    proof: str = "MD5, where both ends have one"

    def version(self) -> str | None:
        return first_line(program("rclone"), "version")

    def commands(self, job: Job) -> list[Command]:
        # One remote for both ends is what makes it copy inside the store.
        target = "source" if job.same_endpoint else "target"
        ends = f"source:{job.source.bucket}", f"{target}:{job.target.bucket}"
        return [(program("rclone"), "copy", *ends, *self.flags)]

    def environment(self, job: Job) -> Mapping[str, str]:
        settings: dict[str, str] = {}
        for remote, end in (("SOURCE", job.source), ("TARGET", job.target)):
            prefix = f"RCLONE_CONFIG_{remote}_"
            settings[f"{prefix}TYPE"] = "s3"
            settings[f"{prefix}PROVIDER"] = "Minio"
            settings[f"{prefix}ENV_AUTH"] = "true"
            settings[f"{prefix}ENDPOINT"] = end.endpoint
        return settings

    def told(self, log: str) -> str:
        return ""


RIVALS = (Rclone(), Rclone("rclone tuned", TUNED))
