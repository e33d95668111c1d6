"""Inventories as Amazon S3 writes them, of what a store lists."""

import gzip
import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import quote_plus

from lakebed.model.objects import Object
from lakebed.store.contract import Store
from lakebed.store.listing import objects
from lakebed.transfer.manifest import NEEDED

VERSIONED = ("Bucket", "Key", "VersionId", "IsLatest", "IsDeleteMarker", *NEEDED[2:])


def row_of(bucket: str, found: Object, *versions: str) -> list[str]:
    """`versions` are the three columns of a versioned inventory, where it is one."""
    moment = found.modified.isoformat().replace("+00:00", "Z")
    key = quote_plus(found.key, safe="/")
    return [bucket, key, *versions, str(found.size), moment, found.etag]


def rows_of(store: Store, bucket: str) -> list[list[str]]:
    return [row_of(bucket, found) for found in objects(store, bucket)]


def as_csv(rows: Iterable[Sequence[str]]) -> bytes:
    """Every field in quotes."""
    return "".join('"{}"\n'.format('","'.join(row)) for row in rows).encode()


def write_inventory(
    folder: Path,
    bucket: str,
    *files: Iterable[Sequence[str]],
    columns: Sequence[str] = NEEDED,
    data: str = ".",
) -> Path:
    """A manifest.json in `folder` and its files in the folder `data` below or beside it."""
    (folder / data).mkdir(parents=True, exist_ok=True)
    named = []
    for number, rows in enumerate(files):
        packed = gzip.compress(as_csv(rows), mtime=0)
        (folder / data / f"{number}.csv.gz").write_bytes(packed)
        md5 = hashlib.md5(packed, usedforsecurity=False).hexdigest()
        key = f"inventories/{bucket}/all/data/{number}.csv.gz"
        named.append({"key": key, "size": len(packed), "MD5checksum": md5})
    said = {
        "sourceBucket": bucket,
        "destinationBucket": "arn:aws:s3:::reports",
        "version": "2016-11-30",
        "creationTimestamp": "1514944800000",
        "fileFormat": "CSV",
        "fileSchema": ", ".join(columns),
        "files": named,
    }
    (folder / "manifest.json").write_text(json.dumps(said))
    return folder / "manifest.json"
