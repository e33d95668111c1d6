"""Somebody who looks at the console in a real browser, by what is seen and heard of it."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import ConsoleMessage, Page, expect

CHROMIUM = shutil.which("chromium")
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDTHS = (1280, 390)
TOO_WIDE = """(width) => document.documentElement.scrollWidth <= width ? []
  : [...document.querySelectorAll("body *")]
    .filter((one) => one.getBoundingClientRect().right > width && !one.closest(".scroll table"))
    .map((one) => one.outerHTML.slice(0, 80))"""
"""What reaches beyond the window, where the page has to be scrolled sideways."""
SOON = 30_000
"""Milliseconds for what takes a process and two stores."""
expect.set_options(timeout=SOON)


@dataclass
class Visitor:
    page: Page
    folder: Path
    """Where screenshots go."""
    complaints: list[str] = field(default_factory=list)
    """What the browser's console said: violations of the policy are among it."""

    def __post_init__(self) -> None:
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def heard(self) -> int:
        """How many requests were refused, which the browser notes; these are no complaints."""
        refused = [one for one in self.complaints if one.startswith("Failed to load resource")]
        self.complaints = [one for one in self.complaints if one not in refused]
        return len(refused)

    def picture(self, name: str) -> None:
        """What it looks like: wide and narrow, light and dark."""
        self.folder.mkdir(parents=True, exist_ok=True)
        before = self.page.viewport_size
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": 900})
            for scheme in ("light", "dark"):
                self.page.emulate_media(color_scheme=scheme)
                path = self.folder / f"{name}-{width}-{scheme}.png"
                self.page.screenshot(path=path, full_page=True)
            assert self.page.evaluate(TOO_WIDE, width) == [], f"{name} at {width}"
        self.page.emulate_media(color_scheme="light")
        if before:
            self.page.set_viewport_size(before)
