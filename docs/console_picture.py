"""The picture of the console: `python docs/console_picture.py`, where Chromium is present.

A real executor between two embedded stores, and one operation as a browser shows it while it runs.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
from page_picture import browser
from picture import printed_by, two_stores
from playwright.sync_api import expect, sync_playwright

PICTURE = Path(__file__).with_name("console.png")
ARCHIVE = "archive generate origin:archive/ --seed 7 --days 30 --corrupt 2"
SYNC = {
    "source": "origin:archive/",
    "destination": "lake:bronze/binance/",
    "configuration": {"bandwidth": "512K"},
}
PATIENCE = 120_000
"""Milliseconds within which something must have been refused."""


def main() -> None:
    program = browser()
    with two_stores() as folder:
        print(printed_by(ARCHIVE, folder))
        with _served(folder) as url:
            asked = httpx2.post(f"{url}/api/v1/sync", json=SYNC, trust_env=False)
            _take(program, f"{url}/console/operations/{asked.json()['operation_id']}")


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    """An executor that is open to all; its address."""
    program = str(Path(sys.executable).with_name("lakebed"))
    arguments = ("executor", "serve", "--port", "0", "--auth", "none", "--json")
    environment = {**os.environ, "XDG_STATE_HOME": str(folder / "state")}
    with subprocess.Popen(
        [program, *arguments], cwd=folder, env=environment, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        yield str(json.loads(process.stdout.readline())["url"])
        process.kill()


def _take(program: str, address: str) -> None:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": 1240, "height": 1240})
        page.goto(address)
        expect(page.locator("#failures")).to_be_visible(timeout=PATIENCE)
        page.screenshot(path=PICTURE)
        chromium.close()


if __name__ == "__main__":
    main()
