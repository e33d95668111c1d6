"""The picture of a report in the README: `python docs/page_picture.py`, where Chromium is present.

A real run, as in picture.py: its page as a browser shows it, down to the proofs.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from picture import printed_by

from lakebed.local.embedded import EmbeddedStore

PICTURE = Path(__file__).with_name("report.png")
WINDOW = "1120,1330"
"""Pixels; below is what another run would name otherwise."""
COMMANDS = (
    "archive generate origin:archive/ --seed 7 --days 30 --corrupt 2",
    "sync origin:archive/ lake:bronze/binance/ --report report.html",
)


def main() -> None:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        sys.exit("no Chromium to take the picture with")
    with tempfile.TemporaryDirectory(prefix="lakebed-picture-") as temporary:
        folder = Path(temporary)
        with (
            EmbeddedStore(folder / "origin") as origin,
            EmbeddedStore(folder / "lake", buckets=["bronze"]) as lake,
        ):
            configuration = origin.configuration("origin") + lake.configuration("lake")
            (folder / "lakebed.toml").write_text(configuration, encoding="utf-8")
            for command in COMMANDS:
                print(printed_by(command, folder))
        options = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")
        page = (folder / "report.html").as_uri()
        sizes = ("--virtual-time-budget=2000", f"--window-size={WINDOW}")
        subprocess.run([browser, *options, *sizes, f"--screenshot={PICTURE}", page], check=True)


if __name__ == "__main__":
    main()
