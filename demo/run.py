"""The main job on this machine: `make demo`, or `python demo/run.py`.

Serves two object stores from a temporary folder, makes an archive in Binance's format in the
first, and moves it to the second with the commands that a user would type. Nothing is left
behind but what it prints.
"""

import os
import shlex
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from lakebed.errors import Exit
from lakebed.local.embedded import EmbeddedStore

ARCHIVE = "origin:archive/ --seed 7 --days 4"
SYNC = "sync origin:archive/ lake:bronze/binance/"


def tell_the_story(folder: Path) -> None:
    with (
        EmbeddedStore(folder / "origin") as origin,
        EmbeddedStore(folder / "lake", buckets=["bronze"]) as lake,
    ):
        configuration = origin.configuration("origin") + "\n" + lake.configuration("lake")
        (folder / "lakebed.toml").write_text(configuration)
        say(f"Two object stores ({lake.engine}) are served from {folder}. Its lakebed.toml:")
        print("\n" + configuration.rstrip())

        lakebed = Terminal(folder)
        say("A publisher's archive: two eras, a Chinese symbol, a large file, and a corrupt one.")
        lakebed.run(f"archive generate {ARCHIVE} --large 64MiB --corrupt 1")
        say("Move it. The pair that its own CHECKSUM refuses is quarantined: exit status 4.")
        lakebed.run(SYNC, Exit.QUARANTINED)
        say("Again: there is nothing to do, and nothing was forgotten.")
        lakebed.run(SYNC, Exit.QUARANTINED)
        say("The publisher replaces one file: exactly that pair is copied.")
        lakebed.run(f"archive generate {ARCHIVE} --replace 1")
        lakebed.run(SYNC, Exit.QUARANTINED)
        say("And once more: nothing to do.")
        lakebed.run(SYNC, Exit.QUARANTINED)
        say("What the lake holds now, and what the ledger remembers.")
        lakebed.run("ls lake:bronze/binance/ --summary")
        lakebed.run("operations")


class Terminal:
    """Runs commands in a folder, shown as a user would see them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._program = str(Path(sys.executable).with_name("lakebed"))
        # The ledger of the demo is not the user's own.
        self._environment = {**os.environ, "XDG_STATE_HOME": str(folder / "state")}

    def run(self, command: str, expected: Exit = Exit.COMPLETED) -> None:
        print(f"\n$ lakebed {command}", flush=True)
        arguments = [self._program, *shlex.split(command)]
        status = subprocess.run(
            arguments, cwd=self._folder, env=self._environment, check=False
        ).returncode
        if status != expected:
            sys.exit(f"the demo expected exit status {expected}, and got {status}")


def say(sentence: str) -> None:
    print(f"\n# {sentence}", flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(Exit.SIGTERM))
    with tempfile.TemporaryDirectory(prefix="lakebed-demo-") as temporary:
        try:
            tell_the_story(Path(temporary))
        except KeyboardInterrupt:
            sys.exit(Exit.SIGINT)
