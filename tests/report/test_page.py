"""The report as a page: whole in itself, and the same numbers as everywhere."""

import hashlib
import json
import re
import shutil
import subprocess
from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import pytest

from lakebed.model.operation import Request
from lakebed.model.report import Report
from lakebed.report import html_report, sentences
from tests.report.pages import Page
from tests.report.samples import FULL, NASTY, NOTHING, ROWS, RUNNING, VERIFIED

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
REPORTS = {"full": FULL, "nothing": NOTHING, "running": RUNNING, "verified": VERIFIED}


def written(report: Report) -> str:
    return "\n".join(html_report.lines(report, ROWS))


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_a_page_is_sound_and_fetches_nothing(report: Report) -> None:
    text = written(report)
    page = Page(text)
    named = [value for _, found in page.elements for value in found.values() if value]
    assert not any("//" in value for value in named)
    assert not any(name in found for _, found in page.elements for name in ("src", "href", "style"))
    assert not any(name.startswith("on") for _, found in page.elements for name in found)
    assert text.startswith("<!doctype html>")


def test_its_policy_allows_only_what_is_in_it() -> None:
    page = Page(written(FULL))
    policy = page.metas["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    allowed = set(re.findall(r"'(sha256-[^']+)'", policy))
    (style,) = [content for tag, _, content in page.raw if tag == "style"]
    data, script = [content for tag, _, content in page.raw if tag == "script"]
    assert allowed == {
        f"sha256-{b64encode(hashlib.sha256(one.encode()).digest()).decode()}"
        for one in (style, script)
    }
    assert json.loads(data).keys() == {"bytes", "objects", "sizes", "durations"}
    assert "Leon Sorokin" in script


def test_a_key_is_never_more_than_a_key() -> None:
    page = Page(written(FULL))
    assert sum(tag == "script" for tag, _ in page.elements) == 2
    shown = NASTY.replace("\x1b", "\\x1b")
    assert page.text.count(shown) >= 4
    assert "<script>alert" not in written(FULL)
    hostile = replace(FULL, summary=replace(FULL.summary, message=NASTY, lanes={NASTY: 1}))
    assert "<script>alert" not in written(hostile)


def test_what_is_drawn_is_also_in_the_tables() -> None:
    page = Page(written(FULL))
    data = json.loads(next(content for _, found, content in page.raw if found.get("id")))
    rows = page.table("until", "objects")
    assert [int(row[1]) for row in rows] == [one.objects for one in FULL.throughput]
    assert data["bytes"]["rates"] == [one.bytes / 0.25 for one in FULL.throughput]
    assert data["bytes"]["edges"] == [0.0, *(one.end for one in FULL.throughput)]
    for name, heading in (("sizes", "size"), ("durations", "took")):
        drawn = dict(zip(data[name]["names"], data[name]["counts"], strict=True))
        tabled = {row[0]: int(row[1]) for row in page.table(heading, "objects", "bytes")}
        assert {one: count for one, count in drawn.items() if count} == tabled


def test_the_tables_have_the_numbers_of_the_report() -> None:
    page = Page(written(FULL))
    assert {row[0]: int(row[1]) for row in page.table("proved by")} == FULL.summary.proofs
    assert {row[0]: int(row[1]) for row in page.table("lane")} == FULL.summary.lanes
    assert [int(row[0]) for row in page.table("objects", "cause")] == [2, 1]
    assert len(page.table("took", "size", "attempts")) == len(FULL.slowest)
    assert len(page.table("since")) == 2
    assert "no digest in it" in page.text


def test_options_that_are_not_usual_are_named() -> None:
    text = Page(written(FULL)).text
    assert "concurrency" in text
    assert "<b>*.zip" in text
    assert "max_errors" not in text
    usual = replace(FULL, request=Request(FULL.request.source, FULL.request.destination))
    assert "<b>*.zip" not in Page(written(usual)).text


def test_a_report_of_nothing_says_so() -> None:
    page = Page(written(NOTHING))
    assert "No object arrived" in page.text
    assert page.tables == []


def test_one_that_runs_says_as_of_when() -> None:
    page = Page(written(RUNNING))
    assert "as of 2023-11-14 22:15:00 UTC" in page.text
    assert "not yet" in page.text


def test_a_verification_counts_what_it_proved() -> None:
    assert "proved" in Page(written(VERIFIED)).text
    assert "pauses between its runs included" in sentences.throughput(VERIFIED)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium to open the page in")
@pytest.mark.parametrize("name", ["full", "nothing"])
def test_a_browser_draws_it_without_a_complaint(name: str, tmp_path: Path) -> None:
    """The page looks at itself and writes what it finds into its title."""
    look = """
      addEventListener("load", () => {
        const canvases = [...document.querySelectorAll("canvas")];
        const inked = canvases.filter((one) => one.getContext("2d")
          .getImageData(0, 0, one.width, one.height).data.some((value) => value > 0));
        document.title = `${inked.length} of ${canvases.length} drawn, ${complaints} complaints`;
      });
    """
    listen = """
      let complaints = 0;
      addEventListener("error", () => { complaints += 1; });
      addEventListener("securitypolicyviolation", () => { complaints += 1; });
      console.error = console.warn = () => { complaints += 1; };
    """
    text = written(REPORTS[name])
    digest = b64encode(hashlib.sha256((listen + look).encode()).digest()).decode()
    text = text.replace("script-src ", f"script-src 'sha256-{digest}' ", 1)
    text = text.replace("<style>", f"<script>{listen + look}</script><style>", 1)
    path = tmp_path / "report.html"
    path.write_text(text, encoding="utf-8")
    command = [
        str(CHROMIUM),
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        f"--user-data-dir={tmp_path / 'profile'}",
        "--virtual-time-budget=2000",
        "--dump-dom",
        path.as_uri(),
    ]
    dumped = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    plots = 4 if name == "full" else 0
    assert f"<title>{plots} of {plots} drawn, 0 complaints</title>" in dumped
