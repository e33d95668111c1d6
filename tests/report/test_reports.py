"""The end of an operation, for a person and for a program."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from lakebed.errors import UsageError
from lakebed.model.location import Location
from lakebed.model.operation import Kind, ObjectState, OperationState, Request, Summary
from lakebed.model.report import Report
from lakebed.operations.ledger import Failure
from lakebed.report import file, json_report, text_report
from lakebed.report.text_report import Told

REQUEST = Request(Location.parse("src:b/"), Location.parse("dst:b/"))
SUMMARY = Summary("ID", OperationState.COMPLETED, 1, 1, 0, 0, 0, 0, 0, 0.0)


def _failures(count: int) -> list[Failure]:
    return [Failure(f"k{n}", ObjectState.FAILED, "store-fault", None) for n in range(count)]


def test_only_what_there_is_is_said() -> None:
    assert list(text_report.lines(SUMMARY, ())) == [
        "Copied 1 of 1 object, 0 B in 0.0 s",
        "  operation   ID completed",
    ]


def test_the_first_failures_are_named_and_the_rest_are_a_command_away() -> None:
    failed = replace(SUMMARY, state=OperationState.PARTIAL, failed=25)
    lines = list(text_report.lines(failed, _failures(25)))
    assert "    failed  k19" in lines
    assert "      store-fault" in lines
    assert "    and 5 more: lakebed operations ID" in lines
    assert not any("k20" in line for line in lines)


def test_all_failures_are_named_where_they_are_few() -> None:
    failed = replace(SUMMARY, state=OperationState.PARTIAL, failed=20)
    assert not any("more:" in line for line in text_report.lines(failed, _failures(20)))


def test_a_verification_counts_what_it_proved() -> None:
    verified = replace(SUMMARY, listed=3, proofs={"etag-md5": 2})
    assert next(text_report.lines(verified, (), Told(Kind.VERIFY))) == (
        "Verified 2 of 3 objects in 0.0 s"
    )


@pytest.mark.parametrize(
    ("key", "message", "expected"),
    [
        ("a.zip", "a.zip: broke", "broke"),
        ("a.zip.CHECKSUM", "a.zip: broke", "broke"),
        ("a.zip", "b.zip: broke", "b.zip: broke"),
        ("a.zip", "ba.zip: broke", "ba.zip: broke"),
        ("a.zip", "x/y/a.zip: broke", "broke"),
        ("a.zip.CHECKSUM", "lake:b/x y/a.zip: broke", "broke"),
        ("a.zip", "no copy: see x/a.zip: broke", "no copy: see x/a.zip: broke"),
    ],
)
def test_a_reason_does_not_name_its_key_again(key: str, message: str, expected: str) -> None:
    assert text_report.reason(key, message) == expected


def test_a_key_cannot_steer_a_terminal() -> None:
    assert text_report.printable("a\x1b[2J\n币 é") == "a\\x1b[2J\\n币 é"


def test_a_report_holds_the_summary_and_what_was_refused(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("an older one")
    told = Report(replace(SUMMARY, lanes={"whole": 1}), REQUEST, told=0.0, created=0.0)
    file.write(path, json_report.lines(told, _failures(2)), "ID")
    report = json.loads(path.read_text())
    assert (report["operation_id"], report["state"], report["lanes"]) == (
        "ID",
        "completed",
        {"whole": 1},
    )
    assert [row["key"] for row in report["objects"]] == ["k0", "k1"]
    assert os.listdir(tmp_path) == ["report.json"]


def test_a_report_that_fails_leaves_the_older_one(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("an older one")

    def broken() -> list[str]:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        file.write(path, (line for _ in "x" for line in broken()), "ID")
    assert path.read_text() == "an older one"
    assert os.listdir(tmp_path) == ["report.json"]


def test_who_may_read_a_report_is_the_business_of_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        file.write(tmp_path / "report.json", ["{}"], "ID")
    finally:
        os.umask(before)
    assert (tmp_path / "report.json").stat().st_mode & 0o777 == 0o600


def test_a_link_stays_a_link_to_the_report(tmp_path: Path) -> None:
    link = tmp_path / "latest.json"
    link.symlink_to("report.json")
    file.write(link, ["{}"], "ID")
    assert link.is_symlink()
    assert (tmp_path / "report.json").read_text() == "{}\n"


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool:
        told = pool.submit(pipe.read_text)
        file.write(pipe, ["{}"], "ID")
        assert told.result(30) == "{}\n"
    assert pipe.is_fifo()


def test_a_report_into_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="lakebed report ID"):
        file.write(tmp_path / "absent" / "report.json", (), "ID")


@pytest.mark.parametrize("state", [OperationState.INTERRUPTED, OperationState.FAILED])
def test_what_was_listed_before_the_end_came_is_not_all(state: OperationState) -> None:
    stopped = replace(SUMMARY, state=state, listed=1000, pending=9)
    assert next(text_report.lines(stopped, ())) == "Copied 1 of 1,000 listed so far, 0 B in 0.0 s"


def test_deletions_that_were_kept_back_are_called_so() -> None:
    kept = replace(SUMMARY, state=OperationState.FAILED, extra=24, pending=24)
    lines = list(text_report.lines(kept, ()))
    assert "  not deleted 24" in lines
    assert not any(line.startswith("  left") for line in lines)
