"""A manifest names its files and columns, or is refused in one line."""

import json
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakebed.errors import UsageError
from lakebed.model.operation import InventoryFile
from lakebed.transfer import manifest as module
from lakebed.transfer.manifest import NEEDED, inventory_file, manifest_of
from tests.strategies import spoiled
from tests.transfer.inventories import write_inventory


def changed(path: Path, **fields: object) -> Path:
    """The manifest with other fields; None takes one out."""
    said = json.loads(path.read_text()) | fields
    path.write_text(json.dumps({name: value for name, value in said.items() if value is not None}))
    return path


@pytest.mark.parametrize("data", [".", "../data"])
def test_files_are_found_beside_the_manifest_or_where_s3_puts_them(
    tmp_path: Path, data: str
) -> None:
    path = write_inventory(tmp_path / "2026-05-08T01-00Z", "public", [], [], data=data)
    found = manifest_of(inventory_file(path))
    assert [file.path.resolve() for file in found.files] == [
        (path.parent / data / name).resolve() for name in ("0.csv.gz", "1.csv.gz")
    ]
    assert (found.bucket, found.columns, found.exact) == ("public", NEEDED, True)


def test_an_inventory_is_remembered_by_its_whole_path_and_its_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty.csv").touch()
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert inventory_file(Path("empty.csv")) == InventoryFile(str(tmp_path / "empty.csv"), empty)


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"fileFormat": "ORC"}, r"the inventory is in ORC \(have it written as CSV\)"),
        ({"fileFormat": "Parquet"}, "the inventory is in Parquet"),
        ({"fileSchema": "Bucket, Key"}, "the inventory lacks Size, LastModifiedDate, ETag"),
        ({"fileSchema": ", ".join((*NEEDED, "Key"))}, "the inventory lacks Key"),
        ({"fileSchema": None}, "not an inventory's manifest: fileSchema: Field required"),
        ({"sourceBucket": ""}, "not an inventory's manifest: sourceBucket: "),
        ({"files": None}, "not an inventory's manifest: files: Field required"),
        ({"files": [{"key": "a.csv"}]}, r"files\.0\.MD5checksum: Field required"),
        ({"files": [{"key": "a.csv", "MD5checksum": "no"}]}, r"files\.0\.MD5checksum: "),
    ],
)
def test_a_manifest_that_cannot_be_followed_says_why(
    tmp_path: Path, fields: dict[str, object], what: str
) -> None:
    path = changed(write_inventory(tmp_path, "public", []), **fields)
    with pytest.raises(UsageError, match=what) as refused:
        inventory_file(path)
    assert refused.value.subject == f"--inventory {path}"


@pytest.mark.parametrize(
    ("key", "what"),
    [
        ("x/absent.csv.gz", r"it names 'absent\.csv\.gz', which is not there \(keep its files"),
        ("x/" + "k" * 300 + ".csv", "which is not there"),
        ("x/data.orc", r"it names 'x/data\.orc', no CSV file"),
        ("x/..", r"it names 'x/\.\.', no CSV file"),
        ("x/\0.csv", "no CSV file"),
        ("", "it names '', no CSV file"),
    ],
)
def test_a_file_that_cannot_be_found_is_named(tmp_path: Path, key: str, what: str) -> None:
    path = write_inventory(tmp_path, "public", [])
    changed(path, files=[{"key": key, "MD5checksum": "0" * 32}])
    with pytest.raises(UsageError, match=what):
        inventory_file(path)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b"[" * 100_000, b"null"])
def test_what_is_no_manifest_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(UsageError, match="not an inventory's manifest: "):
        inventory_file(tmp_path / "manifest.json")


@pytest.mark.parametrize("name", ["data.parquet", "manifest", "-", "data.csv.zst"])
def test_a_file_of_another_kind_is_no_inventory(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"not an inventory \(name a manifest.json or a CSV file"):
        inventory_file(tmp_path / name)


@pytest.mark.parametrize("name", ["i.csv", "i.json"])
def test_an_inventory_that_is_not_there_or_is_a_folder_says_so(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        inventory_file(tmp_path / name)
    (tmp_path / name).mkdir()
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        inventory_file(tmp_path / name)


def test_a_manifest_beyond_reason_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_MANIFEST", 100)
    path = write_inventory(tmp_path, "public", [])
    with pytest.raises(UsageError, match="a manifest has at most 100 B"):
        inventory_file(path)


def test_a_manifest_that_changed_since_is_refused(tmp_path: Path) -> None:
    path = write_inventory(tmp_path, "public", [])
    inventory = inventory_file(path)
    changed(path, version="another")
    with pytest.raises(UsageError, match="no longer what it was when the operation began"):
        manifest_of(inventory)


@settings(deadline=None)
@given(st.data())
def test_a_spoiled_manifest_names_files_that_are_there_or_is_refused(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write_inventory(Path(folder), "public", [], [])
        path.write_bytes(data.draw(spoiled(st.just(path.read_bytes()))))
        with suppress(UsageError):
            read = manifest_of(inventory_file(path))
            assert set(NEEDED) <= set(read.columns)
            assert read.bucket
            assert {file.path.name for file in read.files} <= {"0.csv.gz", "1.csv.gz"}
