"""The picture of a run in the README: `python docs/picture.py > docs/run.svg`.

A real run: two embedded stores, a generated archive with one corrupt file, and the commands that
a user would type; what they print is drawn as it came.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

from lakebed.local.embedded import EmbeddedStore

COLUMNS = 100
COMMANDS = (
    "archive generate origin:archive/ --seed 7 --days 4 --large 64MiB --corrupt 1",
    "sync origin:archive/ lake:bronze/binance/",
    "sync origin:archive/ lake:bronze/binance/",
    "ls lake:bronze/binance/ --summary",
)


def main() -> None:
    console = Console(record=True, width=COLUMNS, file=StringIO(), highlight=False)
    with two_stores() as folder:
        for command in COMMANDS:
            console.print(Text(f"$ lakebed {command}", style="bold cyan"))
            console.print(Text(printed_by(command, folder)))
    sys.stdout.write(without_fonts(console.export_svg(title="lakebed", unique_id="run")))


@contextmanager
def two_stores() -> Iterator[Path]:
    """A folder whose configuration names two embedded stores, `origin` and `lake`, while the scope
    lasts."""
    with tempfile.TemporaryDirectory(prefix="lakebed-picture-") as temporary:
        folder = Path(temporary)
        with (
            EmbeddedStore(folder / "origin") as origin,
            EmbeddedStore(folder / "lake", buckets=["bronze"]) as lake,
        ):
            configuration = origin.configuration("origin") + lake.configuration("lake")
            (folder / "lakebed.toml").write_text(configuration, encoding="utf-8")
            yield folder


def printed_by(command: str, folder: Path) -> str:
    """What the command prints, on both streams as a terminal would show them."""
    program = str(Path(sys.executable).with_name("lakebed"))
    environment = {**os.environ, "XDG_STATE_HOME": str(folder / "state")}
    arguments = [program, *shlex.split(command)]
    # A run with a pair in quarantine ends with 4: what went wrong is seen in the picture.
    ended = subprocess.run(
        arguments,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return ended.stdout


def without_fonts(drawing: str) -> str:
    """The drawing, which by default fetches its fonts from elsewhere."""
    return re.sub(r"@font-face \{.*?\}\s*", "", drawing, flags=re.DOTALL)


if __name__ == "__main__":
    main()
