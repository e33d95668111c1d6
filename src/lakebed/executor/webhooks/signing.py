"""What a receiver knows a notification by: headers as Standard Webhooks has them."""

import hmac
from base64 import b64encode
from collections.abc import Mapping

PREFIX = "whsec_"


def secret_of(key: bytes, caller: str) -> bytes:
    """The secret of one caller: nobody else's notifications are signed with it."""
    return hmac.digest(key, f"caller {caller}".encode(), "sha256")


def shown(secret: bytes) -> str:
    """As libraries that verify want it."""
    return PREFIX + b64encode(secret).decode()


def headers(secret: bytes, message: str, now: float, body: bytes) -> Mapping[str, str]:
    """The timestamp is signed too: what was recorded is no good later."""
    timestamp = str(int(now))
    signed = b".".join((message.encode(), timestamp.encode(), body))
    signature = b64encode(hmac.digest(secret, signed, "sha256")).decode()
    return {
        "webhook-id": message,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature}",
    }
