"""The picture of a report in the README: `python docs/page_picture.py`, where Chromium is present.

A real run, as in picture.py: its page as a browser shows it, down to the proofs.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from picture import printed_by, two_stores

PICTURE = Path(__file__).with_name("report.png")
WINDOW = "1120,1330"
"""Pixels; below is what another run would name otherwise."""
COMMANDS = (
    "archive generate origin:archive/ --seed 7 --days 30 --corrupt 2",
    "sync origin:archive/ lake:bronze/binance/ --report report.html",
)


def main() -> None:
    program = browser()
    with two_stores() as folder:
        for command in COMMANDS:
            print(printed_by(command, folder))
        options = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")
        page = (folder / "report.html").as_uri()
        sizes = ("--virtual-time-budget=2000", f"--window-size={WINDOW}")
        subprocess.run([program, *options, *sizes, f"--screenshot={PICTURE}", page], check=True)


def browser() -> str:
    """The program of a Chromium; without one, this ends."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        sys.exit("no Chromium to take the picture with")
    return found


if __name__ == "__main__":
    main()
