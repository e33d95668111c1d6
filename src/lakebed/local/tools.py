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
    """As `build`, of the pinned MinIO."""
    return build("minio", _MODULE, minio.VERSION, target)


def build(name: str, module: str, version: str, target: Path) -> str:
    """Make one version of a Go program at `target`; one line that says what was done.

    Raises CalledProcessError where the toolchain fails.
    """
    if target.is_file():
        return f"{name} {version} is there: {target}"
    go = shutil.which("go")
    if go is None:
        return f"{name}: skipped, there is no Go toolchain on the PATH"
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="building-") as folder:
        subprocess.run(
            [go, "install", f"{module}@{version}"],
            env={**os.environ, "GOBIN": folder},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
        )
        os.replace(Path(folder) / name, target)
    return f"{name} {version} is built: {target}"


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
