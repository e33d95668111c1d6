"""Keys that a destination cannot hold: refused by name before anything is sent, never renamed."""

from lakebed.errors import KeyUnsupported
from lakebed.model.location import MAX_KEY_BYTES
from lakebed.store.capabilities import Capability
from lakebed.transfer.sides import Side


def refusal(destination: Side, key: str) -> KeyUnsupported | None:
    """Why the destination cannot hold `key`, or None."""
    subject = f"{destination.store.name}:{destination.bucket}/{key}"
    if len(key.encode(errors="surrogatepass")) > MAX_KEY_BYTES:
        return KeyUnsupported(f"the key has more than {MAX_KEY_BYTES} bytes", subject=subject)
    if not key:
        return KeyUnsupported(
            "a folder's own marker has no key at the root of a bucket", subject=subject
        )
    *folders, last = key.split("/")
    can = destination.capabilities
    if any(part in ("", ".", "..") for part in folders) or last in (".", ".."):
        if Capability.ODD_KEYS not in can:
            return KeyUnsupported("this bucket rewrites empty, . or .. parts", subject=subject)
    elif not last and Capability.FOLDER_KEYS not in can:
        return KeyUnsupported("this bucket rewrites a final /", subject=subject)
    if "\\" in key and Capability.BACKSLASH_KEYS not in can:
        return KeyUnsupported("this bucket rewrites a backslash", subject=subject)
    return None
