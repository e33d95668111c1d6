"""One entry of the audit log, and the code that chains it to the one before."""

import hmac
import json
from dataclasses import dataclass

BEFORE_ALL = bytes(32)
"""What the first entry is chained to."""


@dataclass(frozen=True, slots=True)
class Fact:
    """What is to be entered: who did, or was refused, what to what."""

    actor: str
    action: str
    subject: str = ""
    detail: str = "{}"
    """JSON."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A fact in its place. `number` counts from 1, `at` is in epoch seconds."""

    number: int
    at: float
    fact: Fact
    mac: bytes


def mac_of(key: bytes, before: bytes, number: int, at: float, fact: Fact) -> bytes:
    """The code of an entry after the one whose code is `before`."""
    told = [before.hex(), number, at, fact.actor, fact.action, fact.subject, fact.detail]
    return hmac.digest(key, json.dumps(told).encode(), "sha256")


def follows(key: bytes, before: bytes, entry: Entry) -> bool:
    """Whether the entry is as it was made, right after the one whose code is `before`."""
    wanted = mac_of(key, before, entry.number, entry.at, entry.fact)
    return hmac.compare_digest(wanted, entry.mac)
