"""sync, verify, resume and cancel: what is asked of the platform, and what is shown."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from lakebed.cli.flatten import GivenOrder
from lakebed.cli.options import Selection
from lakebed.cli.request import filters
from lakebed.model.location import Location
from lakebed.model.operation import (
    Compare,
    Filters,
    InventoryFile,
    Kind,
    Mode,
    ObjectState,
    OnChange,
    OperationState,
    Options,
    Request,
)

from .conftest import ID, REQUEST, FakePlatform, Lakebed, failure, operation, summary


def test_without_options_the_defaults_of_the_model_stand(
    lakebed: Lakebed, platform: FakePlatform
) -> None:
    assert lakebed("sync", "a:b/c/", "s3://d").code == 0
    assert platform.requests == [Request(Location("a", "b", "c/"), Location("", "d"))]


def test_every_option_reaches_the_request(lakebed: Lakebed, platform: FakePlatform) -> None:
    line = (
        "sync a:b c:d --min-size 1KiB --max-size 5g --newer 2026-01-02 --older 2026-02-03"
        " --compare digest --ignore-existing --delete --max-delete 7 --delete-source"
        " --on-change keep --mode traditional --concurrency 3 --memory 16MiB --retries 2"
        " --part-size 8MiB --no-extra-reads"
        " --max-errors 9 --fail-fast --max-duration 2h --tags --storage-class COLD --sse AES256"
        " --include *.zip --exclude **/x/** --include y"
    )
    assert lakebed(*line.split()).code == 0
    assert platform.requests[0].options == Options(
        filters=Filters(
            patterns=((True, "*.zip"), (False, "**/x/**"), (True, "y")),
            min_size=1024,
            max_size=5 * 1024**3,
            newer=datetime(2026, 1, 2, tzinfo=UTC),
            older=datetime(2026, 2, 3, tzinfo=UTC),
        ),
        compare=Compare.DIGEST,
        ignore_existing=True,
        delete=True,
        max_delete=7,
        delete_source=True,
        on_change=OnChange.KEEP,
        mode=Mode.TRADITIONAL,
        concurrency=3,
        memory=16 * 1024**2,
        part_size=8 * 1024**2,
        extra_reads=False,
        retries=2,
        max_errors=9,
        fail_fast=True,
        max_duration=7200,
        tags=True,
        storage_class="COLD",
        sse="AES256",
    )


@pytest.mark.parametrize(
    ("line", "patterns"),
    [
        ("--exclude=a --include b", ((False, "a"), (True, "b"))),
        ("--include b --exclude=a", ((True, "b"), (False, "a"))),
        ("--exclude a --include b --exclude --include", None),
    ],
)
def test_patterns_keep_the_order_in_which_they_were_typed(
    lakebed: Lakebed,
    platform: FakePlatform,
    line: str,
    patterns: tuple[tuple[bool, str], ...] | None,
) -> None:
    lakebed("sync", *line.split(), "a:b", "c:d")
    expected = patterns or ((False, "a"), (True, "b"), (False, "--include"))
    assert platform.requests[0].options.filters.patterns == expected


def test_ages_count_from_now() -> None:
    now = datetime(2026, 5, 8, tzinfo=UTC)
    found = filters(Selection(GivenOrder(()), newer="7d"), now)
    assert found.newer == now - timedelta(days=7)


def test_keys_come_from_a_file(lakebed: Lakebed, platform: FakePlatform, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a.zip\r\n\n币 安/b.zip\n c")
    lakebed("sync", "--files-from", "keys", "a:b", "c:d")
    assert platform.requests[0].options.filters.keys == ("a.zip", "币 安/b.zip", " c")


def test_keys_come_from_standard_input(
    lakebed: Lakebed, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "keys").write_text("a\n")
    with (tmp_path / "keys").open() as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        lakebed("sync", "--files-from", "-", "a:b", "c:d")
    assert platform.requests[0].options.filters.keys == ("a",)


def test_an_inventory_is_remembered_with_its_digest(
    lakebed: Lakebed, platform: FakePlatform, tmp_path: Path
) -> None:
    (tmp_path / "i.csv").write_bytes(b"b,k,1,2026-05-08,e\n")
    for command in ("sync", "plan", "verify"):
        lakebed(command, "--inventory", "i.csv", "a:b", "c:d")
    digest = sha256(b"b,k,1,2026-05-08,e\n").hexdigest()
    kept = InventoryFile(str(tmp_path / "i.csv"), digest)
    assert [asked.options.inventory for asked in platform.requests] == [kept] * 3


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("--min-size much", "--min-size much: not a size"),
        ("--max-duration long", "--max-duration long: not a duration"),
        ("--newer then", "--newer then: neither a date nor an age"),
        ("--memory x", "--memory x: not a size"),
        ("--part-size 33MiB", "part size: two parts of 33.0 MiB do not fit into a memory of 64.0"),
        ("--part-size 4MiB", "part size: a part has 5 MiB to 5 GiB"),
        ("--files-from absent", "--files-from absent: cannot be read: No such file"),
        ("--files-from binary", "--files-from binary, line 1: keys are UTF-8"),
        ("--inventory absent.csv", "--inventory absent.csv: cannot be read: No such file"),
        ("--inventory binary", "--inventory binary: not an inventory"),
        ("--max-delete 3", "--max-delete without --delete"),
        ("--delete --files-from keys", "--delete with --files-from would delete"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_its_option(
    lakebed: Lakebed, platform: FakePlatform, tmp_path: Path, line: str, reason: str
) -> None:
    (tmp_path / "binary").write_bytes(b"\xff")
    ended = lakebed("sync", *line.split(), "a:b", "c:d")
    assert ended.code == 2
    assert ended.err.startswith(f"lakebed: {reason}")
    assert not platform.requests


def test_the_configuration_is_that_of_the_option(
    lakebed: Lakebed, platform: FakePlatform, tmp_path: Path
) -> None:
    (tmp_path / "other.toml").write_text("[stores.lake]\n")
    lakebed("sync", "--config", "other.toml", "a:b", "c:d")
    assert platform.settings
    assert "lake" in platform.settings.stores


# --- what is shown -------------------------------------------------------------------------------


def test_the_summary_says_what_was_copied_and_how_it_was_proved(
    lakebed: Lakebed, platform: FakePlatform
) -> None:
    ended = lakebed("sync", "a:b", "c:d")
    assert ended.err == f"operation {ID} started\n"
    assert ended.out == (
        "Copied 2 of 3 objects, 3.0 MiB in 2.0 s, 1.5 MiB/s\n"
        "  skipped     1\n"
        "  proved by   etag-md5 1, publisher-sha256 1\n"
        "  lanes       whole 2\n"
        f"  operation   {ID} completed\n"
    )


def test_what_went_wrong_is_told_at_the_end_and_with_v_at_once(
    lakebed: Lakebed, platform: FakePlatform
) -> None:
    platform.summary = summary(OperationState.PARTIAL, failed=1, quarantined=1)
    platform.failures = [failure("x"), failure("y.zip", ObjectState.QUARANTINED)]
    platform.events = [
        ("copied", {"key": "w", "size": 1}),
        ("failed", {"key": "x\x1b", "error": "store-fault", "message": "x\x1b: broke"}),
    ]
    assert "failed      x\\x1b: broke\n" in lakebed("sync", "-v", "a:b", "c:d").err
    ended = lakebed("sync", "a:b", "c:d")
    assert ended.code == 3
    assert "broke" not in ended.err
    assert "  failed      1\n  quarantined 1\n    failed  x\n      the store broke\n" in ended.out
    assert ended.out.endswith(f"  try again   lakebed resume {ID}\n")


def test_a_pair_that_was_refused_is_named_once(lakebed: Lakebed, platform: FakePlatform) -> None:
    platform.summary = summary(OperationState.QUARANTINED, quarantined=2)
    refused = [failure(key, ObjectState.QUARANTINED) for key in ("y.zip", "y.zip.CHECKSUM")]
    platform.failures = refused
    assert lakebed("sync", "a:b", "c:d").out.count("y.zip") == 1


def test_each_object_is_told_with_v(lakebed: Lakebed, platform: FakePlatform) -> None:
    platform.events = [("copied", {"key": "w", "size": 1})]
    assert "copied      w\n" in lakebed("sync", "-v", "a:b", "c:d").err


def test_quiet_says_nothing_where_nothing_went_wrong(
    lakebed: Lakebed, platform: FakePlatform
) -> None:
    platform.events = [("copied", {"key": "w"})]
    ended = lakebed("sync", "-q", "a:b", "c:d")
    assert (ended.code, ended.out, ended.err) == (0, "", "")


def test_quiet_says_what_went_wrong_on_stderr(lakebed: Lakebed, platform: FakePlatform) -> None:
    platform.summary = summary(OperationState.QUARANTINED, quarantined=1)
    ended = lakebed("sync", "-q", "a:b", "c:d")
    assert (ended.code, ended.out) == (4, "")
    assert "quarantined 1" in ended.err


def test_json_is_one_event_a_line_and_the_summary_last(
    lakebed: Lakebed, platform: FakePlatform
) -> None:
    platform.events = [("copied", {"key": "币", "size": 1})]
    ended = lakebed("sync", "--json", "a:b", "c:d")
    events = [json.loads(line) for line in ended.out.splitlines()]
    assert [event["event"] for event in events] == ["started", "progress", "copied", "summary"]
    assert events[2] == {"event": "copied", "key": "币", "size": 1}
    assert {name: events[3][name] for name in ("operation_id", "state", "lanes", "copied")} == {
        "operation_id": ID,
        "state": "completed",
        "lanes": {"whole": 2},
        "copied": 2,
    }
    assert ended.err == ""


def test_why_an_operation_failed_is_one_line_on_stderr(
    lakebed: Lakebed, platform: FakePlatform
) -> None:
    platform.summary = replace(
        summary(OperationState.FAILED), error="bucket-missing", message="lake: no such bucket"
    )
    ended = lakebed("sync", "--json", "a:b", "c:d")
    assert (ended.code, ended.err) == (5, "lakebed: lake: no such bucket\n")


def test_a_report_is_written(lakebed: Lakebed, platform: FakePlatform, tmp_path: Path) -> None:
    platform.failures = [failure("x")]
    lakebed("sync", "--report", "report.json", "a:b", "c:d")
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["copied"] == 2
    assert report["objects"][0]["key"] == "x"


def test_a_report_that_cannot_be_written_is_said(lakebed: Lakebed, platform: FakePlatform) -> None:
    ended = lakebed("sync", "--report", "absent/report.json", "a:b", "c:d")
    assert ended.code == 2
    assert "absent/report.json: the report cannot be written: No such file" in ended.err


# --- its siblings --------------------------------------------------------------------------------


def test_verify_asks_for_a_verification(lakebed: Lakebed, platform: FakePlatform) -> None:
    ended = lakebed("verify", "a:b", "c:d", "--include", "*.zip")
    assert platform.requests[0].kind is Kind.VERIFY
    assert platform.requests[0].options.filters.patterns == ((True, "*.zip"),)
    assert ended.out.startswith("Verified 2 of 3 objects in 2.0 s\n")


def test_a_verification_that_is_resumed_is_reported_as_one(
    lakebed: Lakebed, platform: FakePlatform
) -> None:
    verification = replace(REQUEST, kind=Kind.VERIFY)
    platform.operations = [operation(verification, OperationState.COMPLETED)]
    assert lakebed("resume", ID).out.startswith("Verified 2 of 3 objects in 2.0 s\n")


def test_the_rate_of_several_runs_is_not_said(lakebed: Lakebed, platform: FakePlatform) -> None:
    once = operation(REQUEST, OperationState.COMPLETED)
    platform.operations = [replace(once, earlier_seconds=7.0)]
    for command in ("resume", "operations"):
        assert "Copied 2 of 3 objects, 3.0 MiB in 2.0 s\n" in lakebed(command, ID).out


@pytest.mark.parametrize("form", [[], ["-q"]])
def test_what_failed_before_it_began_is_only_its_error(
    lakebed: Lakebed, platform: FakePlatform, form: list[str]
) -> None:
    refused = replace(summary(OperationState.FAILED), listed=0, copied=0, error="configuration")
    platform.summary = replace(refused, message="lake: no secret")
    ended = lakebed("sync", "a:b", "c:d", *form)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.endswith("lakebed: lake: no secret\n")
    assert "Copied" not in ended.err


def test_what_was_told_with_v_is_not_told_again(lakebed: Lakebed, platform: FakePlatform) -> None:
    platform.summary = summary(OperationState.PARTIAL, failed=1)
    platform.failures = [failure("x")]
    out = lakebed("sync", "-v", "a:b", "c:d").out
    assert "  failed      1\n" in out
    assert "the store broke" not in out
    assert "more:" not in out


def test_resume_goes_on_with_an_operation(lakebed: Lakebed, platform: FakePlatform) -> None:
    assert lakebed("resume", "1M7").code == 0
    assert platform.resumed == ["1M7"]


@pytest.mark.parametrize(
    ("state", "line"),
    [
        (OperationState.CANCELLED, f"operation {ID} is cancelled\n"),
        (OperationState.RUNNING, f"operation {ID} was asked to stop\n"),
    ],
)
def test_cancel_says_whether_it_is_done(
    lakebed: Lakebed, platform: FakePlatform, state: OperationState, line: str
) -> None:
    platform.summary = summary(state)
    ended = lakebed("cancel", "1M7")
    assert (ended.code, ended.out) == (0, line)
    assert json.loads(lakebed("cancel", "1M7", "--json").out)["state"] == state
    assert platform.cancelled == ["1M7", "1M7"]
