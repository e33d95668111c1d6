"""Rivals that are built by the Go toolchain, once, where MinIO is kept too."""

import sys
from dataclasses import dataclass
from pathlib import Path
from subprocess import CalledProcessError

from lakebed.local.engines import minio
from lakebed.local.tools import build


@dataclass(frozen=True, slots=True)
class Program:
    """A Go program, pinned to a version."""

    name: str
    module: str
    version: str

    @property
    def path(self) -> Path:
        tools = minio.cached_binary().parents[1]
        return tools / f"{self.name}-{self.version}" / self.name

    @property
    def is_built(self) -> bool:
        return self.path.is_file()


MC = Program("mc", "github.com/minio/mc", "v0.0.0-20250313080218-cf909e1063a9")


def main() -> None:
    try:
        print(build(MC.name, MC.module, MC.version, MC.path))
    except CalledProcessError as error:
        # The benchmark goes on without it and says so.
        print(f"mc could not be built: {error.stdout}", file=sys.stderr)


if __name__ == "__main__":
    main()
