"""plan, ls, operations and stores: what is printed."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from lakebed.cli import output
from lakebed.cli import platform as border
from lakebed.database.engine import open_engine
from lakebed.model.objects import Object
from lakebed.model.operation import Decision, ObjectState, OperationState
from lakebed.operations.ledger import Ledger
from lakebed.operations.run import Platform
from lakebed.settings import Settings
from lakebed.store.cancellation import Cancellation
from lakebed.store.capabilities import Capabilities, Capability
from lakebed.transfer.plan import Planned

from .conftest import (
    ID,
    MOMENT,
    REQUEST,
    FakePlatform,
    Lakebed,
    failure,
    operation,
    summary,
)

DECISIONS = [
    Planned(Decision.COPY, "a.zip", 2048, "missing"),
    Planned(Decision.SKIP, "b.zip", 10, ""),
    Planned(Decision.CHANGED, "c\nc.zip", 1, "another size"),
    Planned(Decision.EXTRA, "d.zip", 5, ""),
]


@pytest.mark.parametrize("command", [["plan"], ["sync", "--dry-run"]])
def test_a_plan_is_a_table_and_a_sum(
    lakebed: Lakebed, platform: FakePlatform, command: list[str]
) -> None:
    platform.decisions = DECISIONS
    ended = lakebed(*command, "a:b", "c:d")
    assert ended.code == 0
    assert ended.out == (
        "copy        2.0 KiB  a.zip  (missing)\n"
        "changed         1 B  c\\nc.zip  (another size)\n"
        "extra           5 B  d.zip\n"
        "1 copy, 1 skip, 1 changed, 1 extra\n"
        "2.0 KiB to copy\n"
    )


def test_skipped_objects_are_named_with_v(lakebed: Lakebed, platform: FakePlatform) -> None:
    platform.decisions = DECISIONS
    assert "skip           10 B  b.zip\n" in lakebed("plan", "-v", "a:b", "c:d").out
    assert "to copy" not in lakebed("plan", "-q", "a:b", "c:d").out


def test_a_plan_in_json_ends_with_its_sums(lakebed: Lakebed, platform: FakePlatform) -> None:
    platform.decisions = DECISIONS
    lines = [json.loads(line) for line in lakebed("plan", "--json", "a:b", "c:d").out.splitlines()]
    assert lines[0] == {
        "event": "decision",
        "decision": "copy",
        "key": "a.zip",
        "size": 2048,
        "reason": "missing",
    }
    assert len(lines) == 5
    assert lines[-1] == {
        "event": "summary",
        "copy": 1,
        "skip": 1,
        "changed": 1,
        "extra": 1,
        "delete": 0,
        "fail": 0,
        "bytes": 2049,
    }


OBJECTS = [Object("x/a.zip", 1536, "e1", MOMENT), Object("x/币", 0, "e2", MOMENT)]


def test_ls_shows_time_size_and_key(lakebed: Lakebed, platform: FakePlatform) -> None:
    platform.objects = OBJECTS
    ended = lakebed("ls", "a:b/x/")
    assert ended.out == (
        "2026-05-08 12:00:00     1.5 KiB  x/a.zip\n2026-05-08 12:00:00         0 B  x/币\n"
    )


def test_ls_in_json_is_one_object_a_line(lakebed: Lakebed, platform: FakePlatform) -> None:
    platform.objects = OBJECTS
    first = json.loads(lakebed("ls", "--json", "a:b").out.splitlines()[0])
    modified = "2026-05-08T12:00:00+00:00"
    assert first == {"key": "x/a.zip", "size": 1536, "etag": "e1", "modified": modified}


def test_ls_counts(lakebed: Lakebed, platform: FakePlatform) -> None:
    platform.objects = OBJECTS
    assert lakebed("ls", "--summary", "a:b").out == "2 objects, 1.5 KiB\n"
    sums = json.loads(lakebed("ls", "--summary", "--json", "a:b").out)
    assert sums == {"event": "summary", "objects": 2, "bytes": 1536}


@pytest.mark.parametrize("command", [["ls", "a:b"], ["plan", "a:b", "c:d"], ["operations", ID]])
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_list_ends_with_its_reader(
    lakebed: Lakebed,
    platform: FakePlatform,
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
    form: list[str],
) -> None:
    platform.objects, platform.decisions = OBJECTS, DECISIONS
    platform.operations = [operation(REQUEST, OperationState.PARTIAL)]
    platform.failures = [failure("one.zip"), failure("two.zip")]

    def gone(stream: object, line: str) -> bool:
        asked.append(line)
        return False

    asked: list[str] = []
    monkeypatch.setattr(output, "_write", gone)
    assert lakebed(*command, *form).code == 0
    assert not any(name in line for name in ("two.zip", "币", "c.zip") for line in asked)


def test_operations_are_a_table(lakebed: Lakebed, platform: FakePlatform) -> None:
    platform.operations = [operation(REQUEST, OperationState.PARTIAL)]
    head, row = lakebed("operations").out.splitlines()
    assert head.split() == [
        "OPERATION",
        "STATE",
        "STARTED",
        "COPIED",
        "SIZE",
        "FAILED",
        "QUARANTINED",
        "WHAT",
    ]
    assert row.split()[:5] == [ID, "partial", "2026-05-08", "12:00:00", "2"]
    assert head.index("WHAT") == row.index("sync a:b → c:d")


def test_operations_can_be_chosen_by_state(lakebed: Lakebed, platform: FakePlatform) -> None:
    platform.operations = [operation(REQUEST, OperationState.PARTIAL)]
    assert ID in lakebed("operations", "--state", "partial").out
    assert lakebed("operations", "--state", "failed").out == "no operations\n"
    assert lakebed("operations", "-q", "--state", "failed").out == ""
    assert ID not in lakebed("operations", "--state", "failed", "--json").out


def test_operations_in_json_are_one_a_line(lakebed: Lakebed, platform: FakePlatform) -> None:
    platform.operations = [operation(REQUEST, OperationState.PARTIAL)]
    found = json.loads(lakebed("operations", "--json").out)
    assert found["operation_id"] == ID
    assert (found["source"], found["destination"], found["kind"]) == ("a:b", "c:d", "sync")
    assert found["started"] == "2026-05-08T12:00:00+00:00"
    assert found["finished"] is None
    assert found["copied"] == 2


def test_one_operation_is_shown_with_all_that_it_refused(
    lakebed: Lakebed, platform: FakePlatform
) -> None:
    platform.operations = [operation(REQUEST, OperationState.PARTIAL)]
    platform.summary = summary(OperationState.PARTIAL, failed=30)
    platform.failures = [failure(f"k{n}", ObjectState.FAILED) for n in range(30)]
    shown = lakebed("operations", "1M7").out
    assert shown.startswith("sync a:b → c:d\n  started     2026-05-08 12:00:00\nCopied 2 of 3")
    assert "  error       went wrong\n" in shown
    assert shown.count("the store broke") == 30
    assert "more:" not in shown
    assert shown.index("k29") < shown.index(f"  operation   {ID}")
    lines = lakebed("operations", "1M7", "--json").out.splitlines()
    assert len(lines) == 31
    assert json.loads(lines[-1])["event"] == "failed"


def test_an_operation_that_waits_has_no_error_yet(lakebed: Lakebed, platform: FakePlatform) -> None:
    waiting = operation(REQUEST, OperationState.QUEUED)
    platform.operations = [replace(waiting, started=None, message=None)]
    shown = lakebed("operations", "1M7").out
    assert "  started     not yet\n" in shown
    assert "error" not in shown


def test_an_unknown_operation_is_wrong_usage(lakebed: Lakebed, platform: FakePlatform) -> None:
    ended = lakebed("operations", "zzz")
    assert (ended.code, ended.err) == (2, "lakebed: zzz: no such operation\n")


def test_operations_has_its_own_help(lakebed: Lakebed) -> None:
    assert "prune" in lakebed("operations", "--help").out


def test_prune_says_how_many_it_forgot(
    lakebed: Lakebed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def open_real(settings: Settings, cancellation: Cancellation, _: object) -> Platform:
        return Platform(settings, cancellation)

    monkeypatch.setattr(border, "open_platform", open_real)
    monkeypatch.setenv("LAKEBED_LEDGER", f"sqlite:///{tmp_path}/ledger.sqlite")
    ledger = Ledger(open_engine(f"sqlite:///{tmp_path}/ledger.sqlite"), clock=lambda: 0.0)
    ledger.request_cancel(ledger.create(REQUEST))
    ledger.engine.dispose()
    assert lakebed("operations", "prune", "--keep-last", "1").out == "0 operations pruned\n"
    assert lakebed("operations", "prune", "--older-than", "1d").out == "1 operation pruned\n"
    assert lakebed("operations", "prune", "-q").out == ""


def test_the_real_platform_is_opened_where_none_is_given() -> None:
    opened = border.open_platform(Settings(), Cancellation())
    assert isinstance(opened, Platform)


STORES = """
[stores.lake]
endpoint = "http://127.0.0.1:1"
access_key = "key-hush"
secret_key = "secret-hush"
default = true
"""


def test_stores_are_a_table_without_secrets(lakebed: Lakebed, tmp_path: Path) -> None:
    (tmp_path / "lakebed.toml").write_text(STORES)
    ended = lakebed("stores")
    assert [line.split() for line in ended.out.splitlines()][-1] == [
        "lake",
        "http://127.0.0.1:1",
        "us-east-1",
        "static",
        "path",
        "sidecar",
    ]
    assert "hush" not in ended.out
    last = json.loads(lakebed("stores", "--json").out.splitlines()[-1])
    assert (last["store"], last["default"]) == ("lake", True)


def test_what_a_bucket_can_do_is_shown(lakebed: Lakebed, platform: FakePlatform) -> None:
    platform.found = Capabilities(frozenset({Capability.COPY}), "as found")
    shown = lakebed("stores", "a:b").out
    assert shown.startswith("a:b\n")
    assert "\n  copy            yes\n" in shown
    assert "\n  part-copy       no\n" in shown
    assert shown.endswith("  as found\n")
    platform.found = Capabilities(frozenset({Capability.COPY}))
    assert lakebed("stores", "a:b").out.splitlines()[-1].split()[0] == list(Capability)[-1]
    found = json.loads(lakebed("stores", "--probe", "--json", "a:b").out)
    assert (found["location"], found["copy"], found["tags"]) == ("a:b", True, False)
    assert platform.refreshed == [False, False, True]


def test_a_wide_letter_takes_two_cells(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(["A", "N"], [["币", "1"], ["xyz", "10"]], right=[1])
    assert capsys.readouterr().out == "A     N\n币    1\nxyz  10\n"
