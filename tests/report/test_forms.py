"""The forms of a report: text and JSON, and which is taken."""

import json
from pathlib import Path

import pytest

from lakebed.errors import every_error
from lakebed.model.report import Bin, Report
from lakebed.report import full_text_report, json_report
from lakebed.report.advice import ADVICE, advice
from lakebed.report.formats import Format, format_of, renderer
from tests.report.samples import FULL, NASTY, NOTHING, ROWS, RUNNING, VERIFIED

DOCUMENT = Path(__file__).parents[2] / "docs" / "report.md"


@pytest.mark.parametrize(
    "report",
    [FULL, NOTHING, RUNNING, VERIFIED],
    ids=lambda one: f"{one.summary.state}-{one.request.kind}",
)
@pytest.mark.parametrize("form", Format)
def test_every_form_tells_every_report_in_lines(report: Report, form: Format) -> None:
    lines = list(renderer(form)(report, ROWS))
    assert lines
    assert not any("\n" in line for line in lines)
    assert any("ID" in line for line in lines)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_json_holds_everything(count: int) -> None:
    told = json.loads("\n".join(json_report.lines(FULL, ROWS * count)))
    assert told["format"] == 1
    assert sum(one["bytes"] for one in told["sizes"]) == told["bytes"] == 11_000
    assert told["slowest"][0]["key"] == NASTY
    assert told["options"]["concurrency"] == 3
    assert told["causes"][0]["examples"][0]["key"] == NASTY
    assert told["quarantines"][0]["expected"] == "11"
    assert told["started"] == "2023-11-14T22:13:20+00:00"
    assert len(told["objects"]) == count


def test_each_name_in_json_is_documented() -> None:
    page = DOCUMENT.read_text(encoding="utf-8")
    told = json.loads("\n".join(json_report.lines(FULL, ROWS)))
    assert {name for name in told if f"`{name}`" not in page} == set()


def test_a_long_list_of_keys_is_told_as_their_number() -> None:
    from dataclasses import replace

    from lakebed.model.operation import Filters, Options

    options = Options(Filters(keys=("a", "b")))
    report = replace(FULL, request=replace(FULL.request, options=options))
    told = json_report.record(report)["options"]
    assert isinstance(told, dict)
    assert told["filters"]["keys"] == 2


def test_text_has_bars_causes_and_what_helps() -> None:
    lines = list(full_text_report.lines(FULL, ROWS))
    text = "\n".join(lines)
    assert "  3 objects refused, for 2 reasons" in lines
    assert advice("throttled") in text
    assert "\x1b" not in text
    assert any(line.split()[:3] == ["512", "B", "to"] and "8" in line for line in lines)
    assert "1 of 13 objects took more than one attempt" in text


def test_many_bins_are_put_together_with_the_same_sums() -> None:
    bins = [Bin(float(n), float(n + 1), n, 10 * n) for n in range(97)]
    fewer = full_text_report.merged(bins, 20)
    assert len(fewer) <= 20
    assert sum(one.objects for one in fewer) == sum(one.objects for one in bins)
    assert sum(one.bytes for one in fewer) == sum(one.bytes for one in bins)
    assert (fewer[0].start, fewer[-1].end) == (0.0, 97.0)


@pytest.mark.parametrize(
    ("name", "form"),
    [("a.html", Format.HTML), ("a.HTM", Format.HTML), ("a.json", Format.JSON), ("a", Format.TEXT)],
)
def test_the_name_of_the_file_says_the_form(name: str, form: Format) -> None:
    assert format_of(Path(name), Format.TEXT) is form


def test_advice_is_of_errors_that_are() -> None:
    assert set(ADVICE) <= {error.code for error in every_error()}
    assert advice("no such code") == ADVICE["object"]
