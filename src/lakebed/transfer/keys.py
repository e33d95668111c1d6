"""Keys that a destination cannot hold: refused by name before anything is sent, never renamed."""

import re

from lakebed.errors import KeyUnsupported
from lakebed.model.location import MAX_KEY_BYTES
from lakebed.store.capabilities import Capability
from lakebed.transfer.sides import Side

_ODD = re.compile(r"(?:^|/)(?:/|\.\.?(?:/|$))")


def is_odd(key: str) -> bool:
    """Whether a part of the key is empty (but for a final `/`), `.` or `..`."""
    return _ODD.search(key) is not None


def refusal(destination: Side, key: str) -> KeyUnsupported | None:
    """Why the destination cannot hold `key`, or None."""
    why = _why_not(destination, key)
    if why is None:
        return None
    return KeyUnsupported(why, subject=f"{destination.store.name}:{destination.bucket}/{key}")


def _why_not(destination: Side, key: str) -> str | None:
    if len(key) * 4 > MAX_KEY_BYTES and len(key.encode(errors="surrogatepass")) > MAX_KEY_BYTES:
        return f"the key has more than {MAX_KEY_BYTES} bytes"
    if not key:
        return "a folder's own marker has no key at the root of a bucket"
    can = destination.capabilities
    if is_odd(key):
        if Capability.ODD_KEYS not in can:
            return "this bucket rewrites empty, . or .. parts"
    elif key.endswith("/") and Capability.FOLDER_KEYS not in can:
        return "this bucket rewrites a final /"
    if "\\" in key and Capability.BACKSLASH_KEYS not in can:
        return "this bucket rewrites a backslash"
    return None
