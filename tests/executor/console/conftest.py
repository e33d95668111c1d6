"""The console in a browser, and without one."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, sync_playwright
from pydantic import SecretStr

from lakebed.executor.service import Service
from lakebed.settings import Settings
from tests.executor.conftest import destination, executor, lakebed, served, source, store
from tests.executor.console.visitor import CHROMIUM, OPTIONS, Visitor
from tests.operations.conftest import sqlite_template

__all__ = ["destination", "executor", "lakebed", "served", "source", "sqlite_template", "store"]


@pytest.fixture
def chromium() -> Iterator[Chromium]:
    """For each test anew: as long as it is there, an event loop runs in the test's thread."""
    if CHROMIUM is None:
        pytest.skip("no Chromium to open the console in")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def visitor(chromium: Chromium, tmp_path: Path) -> Iterator[Visitor]:
    """Somebody with a browser; whatever the browser complains of fails the test."""
    folder = Path(os.environ.get("LAKEBED_SCREENSHOTS") or tmp_path / "screenshots")
    with chromium.new_context(viewport={"width": 1280, "height": 900}) as context:
        page: Page = context.new_page()
        visitor = Visitor(page, folder)
        yield visitor
    assert visitor.complaints == []


@pytest.fixture
def service(sqlite_template: Path, tmp_path: Path) -> Iterator[Service]:
    """One whose queue nobody works at."""
    shutil.copy(sqlite_template, tmp_path / "ledger.sqlite")
    ledger = SecretStr(f"sqlite:///{tmp_path}/ledger.sqlite")
    opened = Service.open(Settings(state=tmp_path, ledger=ledger))
    yield opened
    opened.platform.__exit__(None, None, None)
