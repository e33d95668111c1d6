"""Between keys and files: a key is a file's path below its folder, byte for byte.

Paths are bytes throughout, so that no locale has a say in how a name is read or sorted.
"""

import os

from lakebed.errors import KeyUnsupported
from lakebed.model.location import MAX_KEY_BYTES

OURS = b".lakebed~"
"""What the names of unfinished files begin with. They are never listed, and no key has them."""
_LONGEST = 255
"""Bytes of one name, in every file system of Linux and macOS (limits.h, NAME_MAX)."""


def path_of(root: bytes, key: str, subject: str) -> bytes:
    """Where `key` is kept below `root`. Raises KeyUnsupported where no file can have its name."""
    refused = _refusal(key)
    if refused:
        raise KeyUnsupported(refused, subject=ascii(subject[:200]) if "\0" in key else subject)
    return os.path.join(root, key.encode())


def can_be(key: str) -> bool:
    """Whether a file can have this key at all."""
    return not _refusal(key)


def _refusal(key: str) -> str:
    try:
        encoded = key.encode()
    except UnicodeEncodeError:
        return "a key is UTF-8"
    if not 1 <= len(encoded) <= MAX_KEY_BYTES:
        return f"a key has 1 to {MAX_KEY_BYTES} bytes, not {len(encoded)}"
    if b"\0" in encoded:
        return "no file's name has a NUL"
    names = encoded.split(b"/")
    if any(name in (b"", b".", b"..") for name in names):
        return "a folder cannot hold a key with empty, . or .. parts"
    if max(map(len, names)) > _LONGEST:
        return f"a file's name has at most {_LONGEST} bytes"
    if any(name.startswith(OURS) for name in names):
        return f"names that begin with {OURS.decode()} are those of unfinished files"
    return ""
