"""Builds the programs that are used where they are present: `python -m lakebed.local.tools minio`.

MinIO is built from its published source by the Go toolchain, once, into the user's cache folder;
a half-built program is never seen there.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from lakebed.errors import Exit
from lakebed.local.engines import minio

_MODULE = "github.com/minio/minio"
_TAIL = 20
"""Lines of the toolchain's output that are shown where a build fails."""


def build_minio(target: Path) -> str:
    """Make the pinned MinIO at `target`; one line that says what was done.

    Raises CalledProcessError where the toolchain fails.
    """
    if target.is_file():
        return f"minio {minio.VERSION} is there: {target}"
    go = shutil.which("go")
    if go is None:
        return "minio: skipped, there is no Go toolchain on the PATH"
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="building-") as folder:
        subprocess.run(
            [go, "install", f"{_MODULE}@{minio.VERSION}"],
            env={**os.environ, "GOBIN": folder},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
        )
        os.replace(Path(folder) / "minio", target)
    return f"minio {minio.VERSION} is built: {target}"


def main(arguments: list[str]) -> int:
    if arguments != ["minio"]:
        print("usage: python -m lakebed.local.tools minio", file=sys.stderr)
        return Exit.USAGE
    try:
        print(build_minio(minio.cached_binary()))
    except subprocess.CalledProcessError as error:
        shown = str(error.stdout).strip().splitlines()[-_TAIL:]
        print("minio could not be built:", *shown, sep="\n", file=sys.stderr)
        return Exit.DEFECT
    return Exit.COMPLETED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
