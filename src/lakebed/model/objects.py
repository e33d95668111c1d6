"""An object as a store lists it, as it is read, and as it is written."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from lakebed.model.checksum import Checksum

_MD5 = re.compile("[0-9a-fA-F]{32}")
_MULTIPART = re.compile("[0-9a-fA-F]{32}-([1-9][0-9]{0,4})")
_NO_ITEMS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Object:
    """One line of a listing. `size` in bytes; `etag` without its quotes, as the store wrote it."""

    key: str
    size: int
    etag: str
    modified: datetime

    @property
    def md5(self) -> str | None:
        """The MD5 that the ETag is, in hex, where it has that form (no multipart `-N`)."""
        return md5_of_etag(self.etag)


def md5_of_etag(etag: str) -> str | None:
    """The ETag itself where it has the form of an MD5 digest (32 hex digits), else None."""
    return etag.lower() if _MD5.fullmatch(etag) else None


def parts_of_etag(etag: str) -> int | None:
    """Of how many parts the object was made, where its ETag is that of a multipart upload."""
    found = _MULTIPART.fullmatch(etag)
    return int(found[1]) if found else None


@dataclass(frozen=True, slots=True)
class Attributes:
    """What travels with the bytes. `headers` are the standard ones (Content-Type, …), lower case;
    `metadata` the user's own, without `x-amz-meta-`; `tags` only where they were asked for."""

    headers: Mapping[str, str] = field(default_factory=lambda: _NO_ITEMS)
    metadata: Mapping[str, str] = field(default_factory=lambda: _NO_ITEMS)
    tags: Mapping[str, str] = field(default_factory=lambda: _NO_ITEMS)
    storage_class: str = ""
    sse: str = ""


STANDARD_HEADERS = (
    "content-type",
    "content-encoding",
    "content-language",
    "content-disposition",
    "cache-control",
    "expires",
)
"""Headers of an object that S3 stores and returns as they were sent."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a store says of an object when asked for it (HEAD, or the head of a GET)."""

    size: int
    etag: str
    modified: datetime | None = None
    """Only where it was asked for by `head`."""
    attributes: Attributes = Attributes()
    sha256: str | None = None
    """Hex SHA-256 of the whole object that the store itself keeps, where it does."""
    checksum: Checksum | None = None
    """CRC of the whole object that the store itself keeps. Asked for by `head` only."""
    tagged: bool = False
    """Whether it has tags, which are asked for by `tags`."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a store answered to a write: the ETag of what it now holds."""

    etag: str
    sha256: str | None = None
    """Hex SHA-256 that the store says it verified, where it says so."""


@dataclass(frozen=True, slots=True)
class Span:
    """A range of bytes, `start` included, `end` excluded."""

    start: int
    end: int

    @property
    def size(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Part:
    """One acknowledged part of a multipart upload. `number` from 1."""

    number: int
    etag: str
    size: int
    checksum: Checksum | None = None
    """The CRC that its bytes were sent under, where they were: the store has compared it."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A multipart upload that was begun, and neither completed nor aborted."""

    key: str
    upload_id: str
    initiated: datetime


class Write(StrEnum):
    """The condition under which a write may happen."""

    ALWAYS = "always"
    IF_ABSENT = "if-absent"
