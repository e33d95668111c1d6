"""report: which form goes where."""

import json
from pathlib import Path

import pytest

from .conftest import ID, FakePlatform, Lakebed, failure


def test_a_report_is_text_where_nothing_else_is_said(
    lakebed: Lakebed, platform: FakePlatform
) -> None:
    assert lakebed("report", ID).out.startswith("sync a:b → c:d\n")


def test_a_report_in_json_holds_what_was_refused(lakebed: Lakebed, platform: FakePlatform) -> None:
    platform.failures = [failure("k")]
    told = json.loads(lakebed("report", ID[:4], "--format", "json").out)
    assert (told["operation_id"], told["source"]) == (ID, "a:b")
    assert [one["key"] for one in told["objects"]] == ["k"]


@pytest.mark.parametrize(
    ("name", "form", "begins"),
    [
        ("x.html", [], "<!doctype html>"),
        ("x.json", [], "{"),
        ("x.txt", [], "sync"),
        ("x.txt", ["--format", "html"], "<!doctype html>"),
        ("x.html", ["--format", "json"], "{"),
    ],
)
def test_a_file_gets_the_form_that_is_asked_for_or_that_its_name_says(
    lakebed: Lakebed,
    platform: FakePlatform,
    tmp_path: Path,
    name: str,
    form: list[str],
    begins: str,
) -> None:
    ended = lakebed("report", ID, "-o", name, *form)
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert (tmp_path / name).read_text().startswith(begins)


def test_a_file_that_cannot_be_written_is_wrong_usage(
    lakebed: Lakebed, platform: FakePlatform
) -> None:
    ended = lakebed("report", ID, "-o", "absent/x.html")
    assert ended.code == 2
    assert "absent/x.html: the report cannot be written" in ended.err


def test_the_report_of_an_unknown_operation_is_wrong_usage(
    lakebed: Lakebed, platform: FakePlatform
) -> None:
    assert lakebed("report", "zzz").code == 2


def test_a_run_writes_its_report_as_a_page_where_the_name_says_so(
    lakebed: Lakebed, platform: FakePlatform, tmp_path: Path
) -> None:
    assert lakebed("sync", "a:b", "c:d", "--report", "x.html").code == 0
    assert (tmp_path / "x.html").read_text().startswith("<!doctype html>")
    assert lakebed("sync", "a:b", "c:d", "--report", "x.txt").code == 0
    assert json.loads((tmp_path / "x.txt").read_text())["copied"] == 2


def test_a_report_ends_with_its_reader(
    lakebed: Lakebed, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lakebed.cli import output

    asked: list[str] = []

    def gone(stream: object, line: str) -> bool:
        asked.append(line)
        return False

    monkeypatch.setattr(output, "_write", gone)
    assert lakebed("report", ID).code == 0
    assert len(asked) == 1
