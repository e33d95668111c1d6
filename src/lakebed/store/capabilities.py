"""What a bucket can do, as a probe found it, or as the least is assumed."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Capability(StrEnum):
    """One thing that a bucket can do; its value is what `disable = ["…"]` names."""

    WRITE = "write"
    """A canary could be written, read back and deleted."""
    MD5_ETAGS = "md5-etags"
    """The ETag of a single PUT is the MD5 of its bytes."""
    SHA256 = "sha256"
    """A PUT whose bytes are not those of its SHA-256 header is refused."""
    IF_NONE_MATCH = "if-none-match"
    """A PUT under If-None-Match is refused where the key exists."""
    MULTIPART = "multipart"
    UNPACK = "unpack"
    """Many small objects can be sent by one PUT, with what travels with their bytes."""
    COPY = "copy"
    """A server-side copy has the bytes of its source."""
    PART_COPY = "part-copy"
    CRC64NVME = "crc64nvme"
    """A part, and a multipart object as a whole, whose bytes are not those of this checksum is
    refused, and the object's checksum is kept."""
    CRC32C = "crc32c"
    """As `crc64nvme`."""
    TAGS = "tags"
    ORDERED = "ordered"
    """Listings come in the order of the keys' UTF-8 bytes."""
    FOLDER_KEYS = "folder-keys"
    """Empty objects whose key ends in `/`, as consoles make them, are held as they are."""
    ODD_KEYS = "odd-keys"
    """Keys with empty, `.` or `..` parts are held as they are."""
    BACKSLASH_KEYS = "backslash-keys"
    """Keys with a backslash are held as they are, not as a `/`."""
    VERSIONING = "versioning"
    """The bucket keeps the versions of its objects."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """A set of capabilities. Empty is the least that may be assumed of a bucket."""

    names: frozenset[Capability] = frozenset()
    note: str = ""
    """Why less is assumed than might be."""

    def __contains__(self, capability: Capability) -> bool:
        return capability in self.names

    def without(self, disabled: frozenset[str]) -> Self:
        kept = frozenset(name for name in self.names if name not in disabled)
        return type(self)(kept, self.note)

    def to_json(self) -> str:
        return json.dumps({"names": sorted(self.names), "note": self.note})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Raises ValueError for what another version wrote and this one does not know."""
        kept = json.loads(text)
        return cls(frozenset(map(Capability, kept["names"])), str(kept["note"]))


UNPROBED = Capabilities(frozenset({Capability.ORDERED}))
"""What is assumed of a bucket that is only read: S3's order, which every listing checks."""
EVERYTHING = Capabilities(frozenset(Capability))
