"""The rows of an S3 Inventory are the source's listing, whatever their order, or an error."""

import csv
import gzip
import re
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakebed.errors import Cancelled, DiskFull, LakebedError, SourceChanged, UsageError
from lakebed.model.location import Location
from lakebed.model.objects import Object
from lakebed.model.operation import Filters, InventoryFile, KeyFile, Kind, ObjectState, Options
from lakebed.store import listing
from lakebed.store.cancellation import Cancellation
from lakebed.transfer.inventory import check_inventory, inventoried
from lakebed.transfer.manifest import inventory_file
from tests.strategies import KEYS, spoiled
from tests.transfer.engine import FEW, Engine
from tests.transfer.inventories import VERSIONED, as_csv, row_of, rows_of, write_inventory

MOMENT = datetime(2026, 5, 8, 12, 30, 1, 250_000, tzinfo=UTC)
BUCKET = Location("binance", "public")
ROW = ["public", "a.zip", "7", "2026-05-08T12:30:01.250Z", "0" * 32]


def found(path: Path, source: Location = BUCKET, after: str = "") -> list[Object]:
    pages = inventoried(inventory_file(path), source, after, Cancellation())
    return [one for page in pages for one in page]


def keys(path: Path, source: Location = BUCKET, after: str = "") -> list[str]:
    return [one.key for one in found(path, source, after)]


def written(path: Path, *rows: list[str]) -> Path:
    content = as_csv(rows)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


# --- what a run makes of it ----------------------------------------------------------------------


def inventory_of(engine: Engine, folder: Path) -> InventoryFile:
    bucket = engine.source_at.bucket
    rows = rows_of(engine.held_source, bucket)
    return inventory_file(write_inventory(folder, bucket, rows[::-1]))


def test_a_run_over_an_inventory_moves_what_it_lists_and_does_not_list_the_source(
    tmp_path: Path,
) -> None:
    engine = Engine()
    engine.publish_pair("a.zip", b"archive")
    engine.publish("deep/币 安+1.txt", b"odd")
    engine.hold("extra", b"extra")
    engine.options = replace(FEW, inventory=inventory_of(engine, tmp_path))
    engine.publish("later", b"came after the inventory")
    assert engine.run() is None
    assert set(engine.at_destination()) == {
        "a.zip", "a.zip.CHECKSUM", "deep/币 安+1.txt", "extra",
    }  # fmt: skip
    assert engine.source.count("list_page") == 0
    assert engine.destination.count("list_page") > 0
    assert engine.again() is None
    assert engine.recorder.counted().skipped == 3


def test_an_inventory_that_is_older_than_the_source_is_safe(tmp_path: Path) -> None:
    engine = Engine()
    for name in ("changed", "gone", "same"):
        engine.publish(name, b"old")
    engine.options = replace(FEW, inventory=inventory_of(engine, tmp_path))
    engine.publish("changed", b"new")
    engine.withdraw("gone")
    assert engine.run() is None
    assert engine.at_destination() == {"changed": b"new", "same": b"old"}
    assert engine.states()["gone"] is ObjectState.FAILED
    assert engine.outcome("gone").error == SourceChanged.code


def test_a_verification_takes_an_inventory_too(tmp_path: Path) -> None:
    engine = Engine(kind=Kind.VERIFY)
    engine.publish("a", b"a")
    engine.hold("a", b"a")
    engine.options = replace(FEW, inventory=inventory_of(engine, tmp_path))
    assert engine.run() is None
    assert engine.recorder.in_state(ObjectState.DONE) == {"a"}
    assert engine.source.count("list_page") == 0


def test_nothing_moves_where_the_last_row_is_none(tmp_path: Path) -> None:
    engine = Engine()
    engine.publish("a", b"a")
    rows = rows_of(engine.held_source, "public")
    manifest = write_inventory(tmp_path, "public", rows, [["public", "spot/z"]])
    engine.options = replace(FEW, inventory=inventory_file(manifest))
    error = engine.run()
    assert isinstance(error, UsageError)
    assert f"--inventory {tmp_path / '1.csv.gz'}, line 1" in str(error)
    assert engine.at_destination() == {}


def test_a_stopped_operation_reads_no_further(tmp_path: Path) -> None:
    rows = (["public", f"{number}", *ROW[2:]] for number in range(5000))
    inventory = inventory_file(written(tmp_path / "i.csv", *rows))
    cancellation = Cancellation()
    cancellation.stop(Cancelled("enough"))
    with pytest.raises(Cancelled):
        next(inventoried(inventory, BUCKET, "", cancellation))


# --- rows ----------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.dictionaries(KEYS, st.integers(0, 2**63 - 1), max_size=12), st.data())
def test_any_keys_come_back_in_order_from_rows_in_any_order(
    sizes: dict[str, int], data: st.DataObject
) -> None:
    listed = [Object(key, size, "e-2", MOMENT) for key, size in sizes.items()]
    after = data.draw(st.sampled_from(["", *sizes]))
    rows = [row_of("public", one) for one in data.draw(st.permutations(listed))]
    half = len(rows) // 2
    with tempfile.TemporaryDirectory() as folder:
        path = write_inventory(Path(folder), "public", rows[:half], rows[half:])
        expected = sorted((o for o in listed if o.key > after), key=lambda o: o.key.encode())
        assert found(path, BUCKET, after) == expected


@pytest.mark.parametrize("name", ["i.csv", "i.csv.gz", "I.CSV.GZ"])
def test_a_csv_file_is_an_inventory_by_itself(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    content = as_csv([[*ROW, "STANDARD", "false"]])
    path.write_bytes(gzip.compress(content) if name.lower().endswith(".gz") else content)
    assert found(path) == [Object("a.zip", 7, "0" * 32, MOMENT)]


def test_quotes_are_not_needed_and_a_line_may_end_as_on_windows(tmp_path: Path) -> None:
    (tmp_path / "i.csv").write_bytes(",".join(ROW).encode() + b"\r\n")
    assert found(tmp_path / "i.csv") == [Object("a.zip", 7, "0" * 32, MOMENT)]


def test_a_time_without_a_zone_is_utc_and_any_other_becomes_it(tmp_path: Path) -> None:
    times = ("2026-05-08T12:30:01.250", "2026-05-08T14:30:01.250+02:00")
    rows = [["public", f"{n}", "7", time, "e"] for n, time in enumerate(times)]
    assert {one.modified for one in found(written(tmp_path / "i.csv", *rows))} == {MOMENT}


def test_what_is_outside_of_the_source_is_left_out(tmp_path: Path) -> None:
    rows = [["public", key, *ROW[2:]] for key in ("spot/b", "spot", "spots/c", "spot/a")]
    path = written(tmp_path / "i.csv", *rows)
    assert keys(path, Location("binance", "public", "spot/")) == ["spot/a", "spot/b"]
    assert keys(path, Location("binance", "public", "spot/"), "a") == ["spot/b"]


def test_of_a_versioned_bucket_the_latest_versions_that_are_no_delete_markers_count(
    tmp_path: Path,
) -> None:
    rows = [
        ["public", "kept", "v2", "true", "false", *ROW[2:]],
        ["public", "kept", "v1", "false", "false", *ROW[2:]],
        ["public", "deleted", "v2", "true", "true", "", "2026-05-08T12:30:01Z", ""],
        ["public", "deleted", "v1", "false", "false", *ROW[2:]],
    ]
    assert keys(write_inventory(tmp_path, "public", rows, columns=VERSIONED)) == ["kept"]


def test_columns_stand_where_the_manifest_says(tmp_path: Path) -> None:
    columns = ("ETag", "Key", "StorageClass", "Bucket", "LastModifiedDate", "Size")
    row = ["e", "a", "STANDARD", "public", ROW[3], "5"]
    path = write_inventory(tmp_path, "public", [row], columns=columns)
    assert found(path) == [Object("a", 5, "e", MOMENT)]


BAD: dict[str, tuple[list[str], str]] = {
    "another bucket": (["other", *ROW[1:]], "it is of the bucket 'other'"),
    "no key": (["public", "", *ROW[2:]], "the key '' is not URL-encoded"),
    "a blank": (["public", "a b", *ROW[2:]], "the key 'a b' is not URL-encoded"),
    "half an escape": (["public", "a%2", *ROW[2:]], "the key 'a%2' is not URL-encoded"),
    "no hex": (["public", "a%zz", *ROW[2:]], "the key 'a%zz' is not URL-encoded"),
    "no UTF-8": (["public", "a%ff", *ROW[2:]], "the key 'a%ff' is not UTF-8"),
    "a long key": (["public", "k" * 1025, *ROW[2:]], "a key has at most 1024 bytes"),
    "no size": ([*ROW[:2], "", *ROW[3:]], "the size ''"),
    "a negative size": ([*ROW[:2], "-1", *ROW[3:]], "the size '-1'"),
    "a size beyond": ([*ROW[:2], f"{2**63}", *ROW[3:]], "the size '9223372036854775808'"),
    "an endless size": ([*ROW[:2], "9" * 5000, *ROW[3:]], "the size '9999"),
    "no time": ([*ROW[:3], "yesterday", ROW[4]], "the time 'yesterday'"),
    "no such time": ([*ROW[:3], "0001-01-01T00:00:00+23:00", ROW[4]], "the time '0001"),
    "no ETag": ([*ROW[:4], ""], "the ETag ''"),
    "two lines in an ETag": ([*ROW[:4], "a\rb"], "the ETag 'a\\rb'"),
    "too few columns": (ROW[:4], "it has 4 columns, not 5"),
    "too many columns": ([*ROW, "more"], "it has 6 columns, not 5"),
    "not ASCII": (["public", "币", *ROW[2:]], "'ascii' codec can't decode"),
    "too long": ([*ROW[:4], "e" * 70_000], "it has more than 65536 bytes"),
    "an open quote": ([*ROW[:4], 'e"e'], "',' expected after"),
}


@pytest.mark.parametrize(("row", "what"), BAD.values(), ids=list(BAD))
def test_what_is_no_row_is_named_with_its_file_and_line(
    tmp_path: Path, row: list[str], what: str
) -> None:
    path = write_inventory(tmp_path, "public", [ROW], [["public", "b", *ROW[2:]], row])
    said = f"--inventory {tmp_path / '1.csv.gz'}, line 2: no row of an inventory: {what}"
    with pytest.raises(UsageError, match=re.escape(said)):
        keys(path)


@pytest.mark.parametrize("word", ["", "True", "yes"])
@pytest.mark.parametrize("place", [3, 4])
def test_what_is_neither_true_nor_false_is_refused(tmp_path: Path, word: str, place: int) -> None:
    row = ["public", "a", "v", "true", "false", *ROW[2:]]
    row[place] = word
    path = write_inventory(tmp_path, "public", [row], columns=VERSIONED)
    with pytest.raises(UsageError, match=f"line 1.*{word!r} is neither true nor false"):
        keys(path)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b'"public","a\nb",1,2026-05-08,e\n', 1),
        (b"public,a,1,2026-05-08,e\n\npublic,b,1,2026-05-08,e\n", 2),
        (b"public,a,1,2026-05-08,e,x\npublic,b,1,2026-05-08,e\n", 2),
        (b'public,a,1,2026-05-08,e\n"public","b', 2),
        (b'public,a,1,2026-05-08,"' + b"e\n" * 100_000, 1),
        (b"public,a\rb,1,2026-05-08,e\n", 1),
    ],
    ids=["two lines", "blank", "narrower", "cut", "never closed", "return"],
)
def test_a_row_is_a_line(tmp_path: Path, content: bytes, line: int) -> None:
    (tmp_path / "i.csv").write_bytes(content)
    with pytest.raises(UsageError, match=f"i.csv, line {line}: no row of an inventory"):
        keys(tmp_path / "i.csv")


def test_a_key_that_is_listed_twice_is_refused(tmp_path: Path) -> None:
    path = write_inventory(tmp_path, "public", [ROW], [ROW])
    with pytest.raises(UsageError, match=r"manifest\.json: the key 'a.zip' was listed twice"):
        keys(path)


def test_an_inventory_that_finds_no_room_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "_SORTER", listing._SORTER + "PRAGMA max_page_count = 3;")
    rows = (["public", f"{number:0900}", *ROW[2:]] for number in range(100))
    with pytest.raises(DiskFull, match="--inventory"):
        keys(written(tmp_path / "i.csv", *rows))


SOUND = [["public", f"spot/{name}.zip", *ROW[2:]] for name in ("a", "%E5%B8%81", "c+c", "d%2Bd")]
SOUND_CSV = as_csv(SOUND)
VERSIONED_CSV = as_csv([[*row[:2], "v", "true", "false", *row[2:]] for row in SOUND])


@settings(deadline=None)
@given(spoiled(st.sampled_from([SOUND_CSV, VERSIONED_CSV])))
def test_a_spoiled_file_is_what_its_lines_say_or_wrong_usage(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "i.csv"
        path.write_bytes(content)
        try:
            listed = keys(path)
        except UsageError as refused:
            said = str(refused)
        else:
            rows = csv.reader(content.decode("ascii").splitlines())
            assert listed == sorted((unquote_plus(row[1]) for row in rows), key=str.encode)
            return
    assert said.startswith(f"--inventory {path}")


@settings(deadline=None)
@given(spoiled(st.just(gzip.compress(SOUND_CSV, mtime=0))))
def test_a_spoiled_gzip_file_is_the_sound_one_or_wrong_usage(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "i.csv.gz"
        path.write_bytes(content)
        with suppress(UsageError):
            assert [one.key for one in found(path)] == [
                "spot/a.zip", "spot/c c.zip", "spot/d+d.zip", "spot/币.zip",
            ]  # fmt: skip


# --- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spoil",
    [
        lambda packed: packed[:-9],
        lambda packed: packed[:1],
        lambda packed: b"",
        lambda packed: packed[:-8] + bytes(4) + packed[-4:],
        lambda packed: packed[:12] + b"\xff\xff\xff\xff" + packed[16:],
        lambda packed: b"public,a,1,2026-05-08,e\n",
    ],
    ids=["cut", "one byte", "empty", "another CRC", "other bytes", "plain"],
)
def test_a_gzip_file_that_is_damaged_is_refused(
    tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "i.csv.gz"
    path.write_bytes(spoil(gzip.compress(SOUND_CSV)))
    with pytest.raises(UsageError, match=r"i\.csv\.gz: it is cut short or damaged \(fetch"):
        keys(path)


def test_a_file_whose_md5_is_another_one_is_refused(tmp_path: Path) -> None:
    path = write_inventory(tmp_path, "public", [ROW])
    (tmp_path / "0.csv.gz").write_bytes(gzip.compress(SOUND_CSV))
    with pytest.raises(UsageError, match=r"0\.csv\.gz: its MD5 is not the one"):
        keys(path)


def test_an_inventory_that_changed_since_or_went_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "i.csv", ROW)
    inventory = inventory_file(path)
    written(path, ROW, ["public", "b", *ROW[2:]])
    with pytest.raises(UsageError, match="no longer what it was when the operation began"):
        next(inventoried(inventory, BUCKET, "", Cancellation()))
    path.unlink()
    with pytest.raises(UsageError, match=r"i\.csv: cannot be read: No such file"):
        next(inventoried(inventory, BUCKET, "", Cancellation()))


def test_a_file_that_cannot_be_read_to_its_end_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(gzip.GzipFile, "readline", broken)
    with pytest.raises(UsageError, match="cannot be read: Input/output error"):
        keys(written(tmp_path / "i.csv.gz", ROW))


# --- with other options --------------------------------------------------------------------------


def test_an_inventory_goes_with_no_option_that_contradicts_it(tmp_path: Path) -> None:
    inventory = inventory_file(write_inventory(tmp_path, "public", [ROW]))
    options = Options(inventory=inventory)
    refused: list[tuple[Location, Options, str]] = [
        (BUCKET, replace(options, delete=True), "--delete with --inventory would delete"),
        (BUCKET, replace(options, filters=Filters(keys=("a",))), "--files-from looks its keys up"),
        (
            BUCKET,
            replace(options, filters=Filters(keys_file=KeyFile("k", "0"))),
            "--files-from looks its keys up",
        ),
        (Location("binance", "public", "a.zip"), options, "an inventory lists no single key"),
        (Location("binance", "other"), options, "it is of the bucket 'public', the source is"),
    ]
    for source, asked, what in refused:
        with pytest.raises(UsageError, match=what):
            check_inventory(source, asked)
    check_inventory(BUCKET, options)
    check_inventory(BUCKET, Options(delete=True))


def test_a_run_refuses_an_inventory_with_deletions(tmp_path: Path) -> None:
    engine = Engine()
    engine.publish("a", b"a")
    engine.options = replace(FEW, delete=True, inventory=inventory_of(engine, tmp_path))
    error: LakebedError | None = engine.run()
    assert isinstance(error, UsageError)
    assert engine.at_destination() == {}
