"""A pair: an archive and its published digest, `X` and `X.CHECKSUM`, one unit of trust."""

import hashlib
import re

SIDECAR_SUFFIX = ".CHECKSUM"
_LINE = re.compile(rb"([0-9a-fA-F]{64})[ \t]+\*?([^ \t\r\n][^\r\n]*)")
"""Of a content without the blanks at its end. Nothing in it can be read in two ways: a pattern
with a choice of where the name begins and ends takes hours for a sidecar of blanks."""


def is_sidecar(key: str) -> bool:
    """Whether the name is that of a sidecar; its archive must have a name too."""
    return key.endswith(SIDECAR_SUFFIX) and key.rpartition("/")[2] != SIDECAR_SUFFIX


def may_have_sidecar(key: str) -> bool:
    """Whether it is the name of an archive: neither a folder's, nor a sidecar's."""
    return bool(key) and not key.endswith("/") and not is_sidecar(key)


def sidecar_of(key: str) -> str:
    return key + SIDECAR_SUFFIX


def archive_of(sidecar: str) -> str:
    return sidecar.removesuffix(SIDECAR_SUFFIX)


def published_digest(content: bytes, archive_key: str) -> str | None:
    """The SHA-256 (hex, lower case) that a sidecar's content names for its archive.

    The format is that of `sha256sum`: 64 hex digits, blanks, the archive's base name; a final
    newline may be there or not. None where the content is anything else, or names another file.
    """
    match = _LINE.fullmatch(content.rstrip(b" \t\r\n"))
    if match is None or match[2] != archive_key.rpartition("/")[2].encode():
        return None
    return match[1].decode().lower()


def publishes(md5: str | None, sha256: str, archive_key: str) -> bool:
    """Whether a sidecar with this MD5 can only be the line that names `sha256` for its archive.

    The line as `sha256sum` writes it, for text or binary (`*`), with its final newline or without.
    """
    name = archive_key.rpartition("/")[2]
    lines = (f"{sha256} {kind}{name}{end}".encode() for kind in " *" for end in ("\n", ""))
    return any(
        hashlib.md5(line, usedforsecurity=False).hexdigest() == md5
        and published_digest(line, archive_key) == sha256
        for line in lines
    )
