"""uploads list and uploads abort: what is chosen, what is printed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from lakebed.errors import AccessDenied, Exit
from lakebed.model.location import Location
from lakebed.model.objects import Upload
from lakebed.model.operation import OperationState
from lakebed.operations.abandoned import Abandoned
from lakebed.settings import Settings

from .conftest import ID, MOMENT, FakePlatform, Lakebed


def left(key: str, *moments: datetime) -> Abandoned:
    begun = tuple(Upload(key, f"id-{n}", moment) for n, moment in enumerate(moments))
    place = Location("lake", "bronze", key)
    return Abandoned(ID, OperationState.INTERRUPTED, place, 4 * 1024**2, 1024**2, begun)


@dataclass
class FakeUploads:
    held: list[Abandoned]
    aborted: list[str] = field(default_factory=list)
    asked: list[str | None] = field(default_factory=list)
    refuses: bool = False

    def find(self, operation: str | None = None) -> Iterator[Abandoned]:
        self.asked.append(operation)
        yield from self.held

    def abort(self, one: Abandoned) -> None:
        if self.refuses:
            raise AccessDenied("403 AccessDenied", subject=str(one.location))
        self.aborted.append(one.location.path)


@dataclass
class WithUploads(FakePlatform):
    uploads: FakeUploads = field(default_factory=lambda: FakeUploads([]))


@pytest.fixture
def uploads(monkeypatch: pytest.MonkeyPatch) -> FakeUploads:
    now = datetime.now(UTC)
    fake = WithUploads()
    fake.uploads.held = [
        left("a.zip", MOMENT),
        left("b.zip", now - timedelta(hours=1), MOMENT),
        left("gone.zip"),
    ]

    def open_fake(settings: Settings, cancellation: object, observer: object) -> WithUploads:
        return fake

    monkeypatch.setattr("lakebed.cli.platform.open_platform", open_fake)
    return fake.uploads


def test_each_upload_that_a_store_still_holds_is_a_line(
    lakebed: Lakebed, uploads: FakeUploads
) -> None:
    ended = lakebed("uploads", "list")
    lines = ended.out.splitlines()
    assert ended.code == Exit.COMPLETED
    assert lines[0].split() == ["OPERATION", "STATE", "BEGUN", "SENT", "SIZE", "LOCATION"]
    assert lines[1].split()[0:2] == [ID, "interrupted"]
    assert "2026-05-08 12:00:00  1.0 MiB  4.0 MiB  lake:bronze/a.zip" in lines[1]
    assert len(lines) == 4

    [first, *_] = lakebed("uploads", "list", "--json").out.splitlines()
    assert json.loads(first) == {
        "operation_id": ID,
        "state": "interrupted",
        "location": "lake:bronze/a.zip",
        "upload_id": "id-0",
        "initiated": "2026-05-08T12:00:00+00:00",
        "sent_bytes": 1024**2,
        "size": 4 * 1024**2,
    }


def test_where_nothing_is_left_that_is_said(lakebed: Lakebed, uploads: FakeUploads) -> None:
    uploads.held = [left("gone.zip")]
    assert lakebed("uploads", "list").out == "no unfinished uploads\n"
    assert lakebed("uploads", "list", "-q").out == ""
    assert lakebed("uploads", "list", "--json").out == ""


@pytest.mark.parametrize(
    ("arguments", "aborted"),
    [
        ([], ["a.zip", "b.zip", "gone.zip"]),
        (["a.zip"], ["a.zip"]),
        (["lake:bronze/b.zip"], ["b.zip"]),
        (["--older", "1d"], ["a.zip", "gone.zip"]),
        (["--older", "1m", "b.zip"], ["b.zip"]),
        (["--dry-run"], []),
    ],
)
def test_only_what_was_chosen_is_aborted(
    lakebed: Lakebed, uploads: FakeUploads, arguments: list[str], aborted: list[str]
) -> None:
    assert lakebed("uploads", "abort", *arguments).code == Exit.COMPLETED
    assert uploads.aborted == aborted


def test_a_key_without_an_unfinished_upload_is_wrong_usage(
    lakebed: Lakebed, uploads: FakeUploads
) -> None:
    ended = lakebed("uploads", "abort", "other.zip", "a.zip")
    assert (ended.code, uploads.aborted) == (Exit.USAGE, ["a.zip"])
    assert ended.err == "lakebed: other.zip: no unfinished upload (`lakebed uploads list`)\n"


def test_what_was_aborted_is_told(lakebed: Lakebed, uploads: FakeUploads) -> None:
    out = lakebed("uploads", "abort", "--operation", "1M7", "a.zip").out
    assert uploads.asked == ["1M7"]
    assert out == "aborted lake:bronze/a.zip, begun 2026-05-08 12:00:00\n1 upload aborted\n"
    out = lakebed("uploads", "abort", "--dry-run", "b.zip").out
    assert out.endswith("2 uploads would be aborted\n")
    assert lakebed("uploads", "abort", "-q", "a.zip").out == ""
    [event] = lakebed("uploads", "abort", "--json", "a.zip").out.splitlines()
    assert json.loads(event)["event"] == "aborted"
    [event] = lakebed("uploads", "abort", "--json", "--dry-run", "a.zip").out.splitlines()
    assert json.loads(event)["event"] == "would-abort"


def test_a_store_that_refuses_is_an_error(lakebed: Lakebed, uploads: FakeUploads) -> None:
    uploads.refuses = True
    ended = lakebed("uploads", "abort")
    assert (ended.code, ended.out) == (Exit.STORE, "")
    assert "lake:bronze/a.zip: 403 AccessDenied" in ended.err


def test_an_age_that_cannot_be_read_is_wrong_usage(lakebed: Lakebed, uploads: FakeUploads) -> None:
    assert lakebed("uploads", "abort", "--older", "yore").code == Exit.USAGE
    assert uploads.aborted == []
