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
    subject = f"{destination.store.name}:{destination.bucket}/{key}"
    if len(key.encode(errors="surrogatepass")) > MAX_KEY_BYTES:
        return KeyUnsupported(f"the key has more than {MAX_KEY_BYTES} bytes", subject=subject)
    if not key:
        return KeyUnsupported(
            "a folder's own marker has no key at the root of a bucket", subject=subject
        )
    can = destination.capabilities
    if is_odd(key):
        if Capability.ODD_KEYS not in can:
            return KeyUnsupported("this bucket rewrites empty, . or .. parts", subject=subject)
    elif key.endswith("/") and Capability.FOLDER_KEYS not in can:
        return KeyUnsupported("this bucket rewrites a final /", subject=subject)
    if "\\" in key and Capability.BACKSLASH_KEYS not in can:
        return KeyUnsupported("this bucket rewrites a backslash", subject=subject)
    return None
