"""Where objects are: `store:bucket/prefix/`, or `s3://bucket/…` in the default store."""

from dataclasses import dataclass
from typing import Self

from lakebed.errors import UsageError

S3_SCHEME = "s3://"
MAX_KEY_BYTES = 1024
"""The longest key that S3 allows, in bytes of UTF-8 (Amazon S3 user guide, object key names)."""


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A folder of one bucket, or exactly one key.

    `store` is the configured name, empty for the default store. A `path` that is empty or ends in
    `/` is a folder: it is cut from each key at the destination. Any other path is one exact key.
    """

    store: str
    bucket: str
    path: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a location; raise UsageError with one helpful line where it is none."""
        if text.startswith(S3_SCHEME):
            store, rest = "", text.removeprefix(S3_SCHEME)
        elif _is_local(text):
            raise UsageError(
                "local folders cannot be a source or destination yet",
                subject=text,
                advice="serve the folder with `lakebed store serve DIR` and use its store",
            )
        else:
            store, colon, rest = text.partition(":")
            if not (store and colon):
                raise UsageError("not a location", subject=text, advice=_EXPECTED)
        bucket, _, path = rest.partition("/")
        if not bucket:
            raise UsageError("the location names no bucket", subject=text, advice=_EXPECTED)
        if len(path.encode(errors="surrogatepass")) > MAX_KEY_BYTES:
            raise UsageError(f"a key has at most {MAX_KEY_BYTES} bytes", subject=f"{text[:60]}…")
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise UsageError("a location is UTF-8", subject=ascii(text))
        return cls(store, bucket, path)

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
        root = f"{self.store}:" if self.store else S3_SCHEME
        return f"{root}{self.bucket}/{self.path}" if self.path else f"{root}{self.bucket}"


_EXPECTED = "write store:bucket/prefix/ or s3://bucket/prefix/"


def _is_local(text: str) -> bool:
    head, colon, _ = text.partition(":")
    return text.startswith((".", "/", "~", "file:")) or "/" in head or not colon
