"""Secrets that are made here: 256 random bits, of which only a digest is kept."""

import hashlib
import hmac
import secrets


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def digest(secret: str) -> bytes:
    """SHA-256 is enough of a hash: nobody can guess what 256 random bits were."""
    return hashlib.sha256(secret.encode()).digest()


def matches(secret: str, kept: bytes) -> bool:
    """Whether `kept` is the digest of this secret, told in the same time for each that is not."""
    return hmac.compare_digest(digest(secret), kept)


def derived(secret: str, purpose: str) -> str:
    """Another secret, which whoever has the first one can tell, and nobody the first from it."""
    return hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).hexdigest()
