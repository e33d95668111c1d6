"""What an inventory consists of: a manifest.json with the files that it names, or one CSV file.

The layout is Amazon S3's (user guide, Amazon S3 Inventory): `fileSchema` says which columns the
rows have, `files` names the CSV files by their keys and MD5. They are looked for beside the
manifest by the last part of their key, or where S3 itself puts them: in `../data/`.
"""

import hashlib
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from lakebed.errors import UsageError
from lakebed.model.operation import InventoryFile
from lakebed.model.quantity import MIB, format_size

NEEDED = ("Bucket", "Key", "Size", "LastModifiedDate", "ETag")
"""Columns without which a row is no object; those of a CSV file without a manifest, which may have
more after them."""
MAX_MANIFEST = 16 * MIB
"""Bytes; a manifest has about 200 for each of its files, and these a million rows each."""


@dataclass(frozen=True, slots=True)
class Csv:
    """A file of rows, gzip where its name ends in `.gz`, and the digest that it must have."""

    path: Path
    algorithm: str
    digest: str
    """In hex."""
    otherwise: tuple[str, str]
    """What is wrong where it has another one, and what helps."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """`columns` are all of each row's, or without `exact` the first ones."""

    files: tuple[Csv, ...]
    columns: tuple[str, ...] = NEEDED
    exact: bool = False
    bucket: str | None = None
    """The source's, where the inventory says so as a whole; each row says it too."""


def inventory_file(path: Path) -> InventoryFile:
    """What a request remembers of an inventory. Raises UsageError where it is none."""
    name = path.name.lower()
    if name.endswith(".json"):
        content = _content(path)
        _read(content, path)
        return InventoryFile(str(path.absolute()), hashlib.sha256(content).hexdigest())
    if not name.endswith((".csv", ".csv.gz")):
        raise UsageError(
            "not an inventory", subject=subject(path), advice="name a manifest.json or a CSV file"
        )
    try:
        with path.open("rb") as file:
            return InventoryFile(str(path.absolute()), digest_of(file, "sha256"))
    except OSError as error:
        raise unreadable(path, error) from None


def manifest_of(inventory: InventoryFile) -> Manifest:
    """What it consists of. Raises UsageError, also where a manifest is no longer what it was."""
    path = Path(inventory.path)
    if not path.name.lower().endswith(".json"):
        return Manifest((Csv(path, "sha256", inventory.sha256, _CHANGED),))
    content = _content(path)
    if hashlib.sha256(content).hexdigest() != inventory.sha256:
        what, advice = _CHANGED
        raise UsageError(what, subject=subject(path), advice=advice)
    return _read(content, path)


def subject(path: Path) -> str:
    return f"--inventory {path}"


def unreadable(path: Path, error: OSError) -> UsageError:
    return UsageError(f"cannot be read: {error.strerror}", subject=subject(path))


def digest_of(file: BufferedReader, algorithm: str) -> str:
    return hashlib.file_digest(
        file, lambda: hashlib.new(algorithm, usedforsecurity=False)
    ).hexdigest()


_CHANGED = (
    "the inventory is no longer what it was when the operation began",
    "put it back, or start a new operation",
)
_DAMAGED = ("its MD5 is not the one that the manifest names", "fetch it again")


class _File(BaseModel):
    key: str
    md5: str = Field(alias="MD5checksum", pattern="^[0-9a-fA-F]{32}$")


class _Manifest(BaseModel):
    bucket: str = Field(alias="sourceBucket", min_length=1)
    format: str = Field(alias="fileFormat")
    columns: str = Field(alias="fileSchema")
    files: list[_File]


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_MANIFEST + 1)
    except OSError as error:
        raise unreadable(path, error) from None
    if len(content) > MAX_MANIFEST:
        raise UsageError(
            f"a manifest has at most {format_size(MAX_MANIFEST)}", subject=subject(path)
        )
    return content


def _read(content: bytes, path: Path) -> Manifest:
    try:
        said = _Manifest.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        why = f"{where}: {first['msg']}" if where else first["msg"]
        raise UsageError(f"not an inventory's manifest: {why}", subject=subject(path)) from None
    if said.format.upper() != "CSV":
        raise UsageError(
            f"the inventory is in {said.format[:40]}",
            subject=subject(path),
            advice="have it written as CSV",
        )
    columns = tuple(column.strip() for column in said.columns.split(","))
    missing = [name for name in NEEDED if columns.count(name) != 1]
    if missing:
        raise UsageError(
            f"the inventory lacks {', '.join(missing)}",
            subject=subject(path),
            advice="add the fields to its configuration",
        )
    files = tuple(
        Csv(_beside(path, file.key), "md5", file.md5.lower(), _DAMAGED) for file in said.files
    )
    return Manifest(files, columns, exact=True, bucket=said.bucket)


def _beside(manifest: Path, key: str) -> Path:
    name = key.rpartition("/")[2]
    if not name.lower().endswith((".csv", ".csv.gz")) or "\0" in name:
        raise UsageError(f"it names {key[:200]!r}, no CSV file", subject=subject(manifest))
    for folder in (manifest.parent, manifest.parent.parent / "data"):
        try:
            if (folder / name).is_file():
                return folder / name
        except OSError:
            break  # a name that no file can have
    raise UsageError(
        f"it names {name[:200]!r}, which is not there",
        subject=subject(manifest),
        advice="keep its files beside it, or in ../data/",
    )
