"""Where objects are: `store:bucket/prefix/`, `s3://bucket/…` in the default store, `./folder/`."""

import os
from dataclasses import dataclass
from typing import Self

from lakebed.errors import UsageError

S3_SCHEME = "s3://"
LOCAL_STORE = "file"
"""The store that this machine's folders are; no other can have its name."""
MAX_KEY_BYTES = 1024
"""The longest key that S3 allows, in bytes of UTF-8 (Amazon S3 user guide, object key names)."""


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A folder of one bucket, or exactly one key.

    `store` is the configured name, empty for the default store. A `path` that is empty or ends in
    `/` is a folder: it is cut from each key at the destination. Any other path is one exact key.
    Of this machine the bucket is the absolute path of a folder, and the path empty or one name.
    """

    store: str
    bucket: str
    path: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a location; raise UsageError with one helpful line where it is none.

        A relative path is one below the current folder, and absolute from here on.
        """
        if text.startswith(_LOCAL) or text in (".", ".."):
            store, (bucket, path) = LOCAL_STORE, _folder_and_name(text)
        elif text.startswith(S3_SCHEME):
            store, (bucket, _, path) = "", text.removeprefix(S3_SCHEME).partition("/")
        else:
            store, colon, rest = text.partition(":")
            if not (store and colon) or "/" in store:
                raise UsageError("not a location", subject=text, advice=_EXPECTED)
            bucket, _, path = rest.partition("/")
        if not bucket:
            raise UsageError("the location names no bucket", subject=text, advice=_EXPECTED)
        if len(path.encode(errors="surrogatepass")) > MAX_KEY_BYTES:
            raise UsageError(f"a key has at most {MAX_KEY_BYTES} bytes", subject=f"{text[:60]}…")
        if any("\ud800" <= character <= "\udfff" for character in bucket + path):
            raise UsageError("a location is UTF-8", subject=ascii(text))
        return cls(store, bucket, path)

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine's own disks."""
        return self.store == LOCAL_STORE

    @property
    def is_folder(self) -> bool:
        return self.path == "" or self.path.endswith("/")

    @property
    def folder(self) -> str:
        """The path up to its last `/`, which is all of a folder's; empty at a bucket's root."""
        return self.path[: self.path.rfind("/") + 1]

    def relative(self, key: str) -> str:
        """The part of `key` that this folder does not name; for one exact key, its last part."""
        return key.removeprefix(self.path) if self.is_folder else key.rpartition("/")[2]

    def key(self, relative: str) -> str:
        """The full key at this location for what is called `relative` at the other one."""
        return self.path + relative if self.is_folder else self.path

    def __str__(self) -> str:
        if self.is_local:
            return f"{_FILE_SCHEME}{self.bucket.rstrip('/')}/{self.path}"
        root = f"{self.store}:" if self.store else S3_SCHEME
        return f"{root}{self.bucket}/{self.path}" if self.path else f"{root}{self.bucket}"


_EXPECTED = "write store:bucket/prefix/, s3://bucket/prefix/ or ./folder/"
_FILE_SCHEME = "file://"
_LOCAL = ("./", "../", "/", "~/", "file:")


def _folder_and_name(text: str) -> tuple[str, str]:
    """An absolute folder, and the name of one file in it; no name where the folder is meant."""
    path = os.path.expanduser(text)
    if text.startswith("file:"):
        path = text.removeprefix("file:").removeprefix("//")
    if (text.startswith("file:") and not path.startswith("/")) or "\0" in path:
        advice = "write file:///folder/ or ./folder/"
        raise UsageError("not a path of this machine", subject=ascii(text), advice=advice)
    folder, _, name = path.rpartition("/")
    if name in (".", ".."):
        folder, name = path, ""
    # What `..` means behind a symbolic link only the file system can tell.
    absolute = os.path.realpath if ".." in folder.split("/") else os.path.abspath
    return "/" + absolute(folder or "/").lstrip("/"), name
