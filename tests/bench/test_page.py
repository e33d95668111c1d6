"""The page, its tables and its plots."""

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from bench.cases import CASES
from bench.report import tables
from bench.report.page import DOCUMENTS, KEPT, PAGE, PLOTS, plots, publish, renewed
from bench.report.plot import plot, seconds
from bench.results import Environment, Measured, Results, read

from tests.bench.made import measured, results

WALLS = {"lakebed": [5.0, 6.0], "rclone": [10.0, 12.0], "mc": [0.0, 4.0], "bare loop": [3.0, 3.0]}
EMPTY = "<!-- results -->\n<!-- end -->"
SVG = "{http://www.w3.org/2000/svg}"


def test_the_page_is_that_of_the_results_it_keeps() -> None:
    page, kept = (DOCUMENTS / PAGE).read_text(encoding="utf-8"), read(DOCUMENTS / KEPT)
    assert renewed(page, kept) == page, "run: python -m bench.report docs"
    for name, drawing in plots(kept).items():
        assert (DOCUMENTS / PLOTS / name).read_text(encoding="utf-8") == drawing


def test_only_what_stands_between_the_markers_is_renewed() -> None:
    page = "before\n<!-- results -->\nold\n<!-- end -->\nafter\n"
    made = renewed(page, results(measured(WALLS)))
    assert made.startswith("before\n<!-- results -->\n\n## The bars\n")
    assert made.endswith("<!-- end -->\nafter\n")
    assert "old\n" not in made
    assert renewed(made, results(measured(WALLS))) == made


def test_rivals_stand_in_the_order_of_their_medians() -> None:
    rows = tables.rivals(measured(WALLS)).splitlines()[2:]
    assert [row.split(" | ")[0].strip("|* ") for row in rows] == [
        *("bare loop", "mc", "lakebed", "rclone")
    ]


def test_a_row_has_the_median_with_its_spread_and_what_was_asked_of_each_store() -> None:
    rows = tables.rivals(measured(WALLS)).splitlines()
    row = next(row for row in rows if "lakebed" in row)
    assert "| 5.50 (5.00 to 6.00) |" in row
    assert "| 1.00 + 1.01 |" in row


def test_a_rival_that_failed_stays_in_the_table() -> None:
    rows = tables.rivals(measured({"lakebed": [5.0], "mc": [0.0]})).splitlines()
    assert rows[-1].startswith("| mc | failed |")
    assert rows[-1].endswith("| 0 of 1 |")


def test_every_bar_of_every_case_is_shown_even_where_nothing_was_measured() -> None:
    rows = tables.all_bars(results()).splitlines()[2:]
    assert len(rows) == sum(len(case.bars) for case in CASES.values())


def test_the_claim_is_the_part_of_the_time_that_is_saved() -> None:
    found = tables.claim(results(measured({"lakebed": [3.0], "s5cmd": [4.0], "aws": [12.0]})))
    assert found.splitlines()[2] == "| small_pairs |  | 25% less | 75% less |"


def test_where_it_takes_longer_the_claim_says_so() -> None:
    found = tables.claim(results(measured({"lakebed": [3.0], "s5cmd": [2.0]})))
    assert found.splitlines()[2] == "| small_pairs |  | 50% more |  |"


def test_the_claim_is_not_made_where_nothing_is_moved() -> None:
    walls = {"lakebed": [3.0], "s5cmd": [4.0]}
    made = (measured(walls, "nothing_10k"), measured(walls, "same_endpoint"))
    assert len(tables.claim(results(*made)).splitlines()) == 2


def test_whoever_is_ahead_of_us_is_named() -> None:
    assert tables.behind(results(measured(WALLS))) == [
        "small_pairs, wall: lakebed 5.50, mc 4.00",
        "small_pairs, client CPU: lakebed 1.55, mc 1.40",
    ]


def test_a_page_without_results_says_so() -> None:
    assert "Nothing has been measured yet" in renewed(EMPTY, results())
    assert "Nothing has been measured yet" not in renewed(EMPTY, results(measured(WALLS)))


def test_results_of_a_smaller_scale_say_so() -> None:
    small = replace(measured(WALLS), scale=0.05)
    assert "Made at scale 0.05" in renewed(EMPTY, results(small))
    assert "scale" not in renewed(EMPTY, results(measured(WALLS)))


def test_what_failed_and_what_was_said_is_shown() -> None:
    made = measured({"mc": [0.0], "planning": [1.0]})
    series = made.series[1]
    told = replace(series, runs=(replace(series.runs[0], note="10 M keys\n1 MB"),))
    page = renewed(EMPTY, results(replace(made, series=(made.series[0], told))))
    assert "mc failed: `1 of 100 missing`" in page
    assert "```text\n10 M keys\n1 MB\n```" in page


def test_publishing_a_case_again_keeps_the_others(tmp_path: Path) -> None:
    page = publish(tmp_path, results(measured(WALLS), measured(WALLS, "large")))
    publish(tmp_path, results(measured({"lakebed": [1.0], "mc": [2.0]}, "large")))
    kept = read(tmp_path / KEPT)
    assert [one.case for one in kept.cases] == ["small_pairs", "large"]
    assert len(kept.cases[1].series) == 2
    assert renewed(page.read_text(encoding="utf-8"), kept) == page.read_text(encoding="utf-8")
    assert {path.name for path in (tmp_path / PLOTS).iterdir()} == {"small_pairs.svg", "large.svg"}


def test_each_case_says_on_what_it_was_measured(tmp_path: Path) -> None:
    publish(tmp_path, results(measured(WALLS)))
    larger = Environment({"cores": "64"}, {"lakebed": "lakebed 0.2.0"})
    publish(tmp_path, Results((replace(measured(WALLS, "large"), environment=larger),)))
    text = (tmp_path / "benchmarks.md").read_text()
    assert "| cases | small_pairs |\n| cores | 2 |\n| lakebed | lakebed 0.1.0 |" in text
    assert "| cases | large |\n| cores | 64 |\n| lakebed | lakebed 0.2.0 |" in text


def _drawn(made: Measured) -> ElementTree.Element:
    return ElementTree.fromstring(plot("a <title> & more", made))


def test_a_plot_has_a_bar_for_each_rival_and_figure() -> None:
    drawing = _drawn(measured(WALLS))
    bars = drawing.findall(f".//{SVG}rect")
    assert [bar.get("class") for bar in bars] == [
        *("floor", "floor", "other", "other", "ours", "ours", "other", "other")
    ]
    assert drawing.get("aria-label") == "a <title> & more"


def test_a_plot_stays_within_its_frame() -> None:
    drawing = _drawn(measured(WALLS))
    width = float(drawing.attrib["width"])
    for bar in drawing.findall(f".//{SVG}rect"):
        assert 0 < float(bar.attrib["x"]) + float(bar.attrib["width"]) < width
    for label in drawing.findall(f".//{SVG}text"):
        assert float(label.attrib["x"]) < width - 20


def test_a_plot_reads_on_a_dark_page_and_fetches_nothing() -> None:
    text = plot("title", measured(WALLS))
    assert "prefers-color-scheme: dark" in text
    assert "url(" not in text


@pytest.mark.parametrize(
    ("value", "text"), [(0.264, "0.26"), (9.99, "9.99"), (54.23, "54.2"), (1207.4, "1207")]
)
def test_seconds_have_three_digits_that_mean_something(value: float, text: str) -> None:
    assert seconds(value) == text
