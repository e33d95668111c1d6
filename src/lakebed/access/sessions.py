"""Who is signed in at a browser: known to the database, so that a sign-out holds everywhere."""

import hmac
from dataclasses import dataclass

from lakebed.access.caller import Caller
from lakebed.access.secret import derived
from lakebed.access.tickets import Purpose, Tickets


@dataclass(frozen=True, slots=True)
class Session:
    caller: Caller
    """As it was at sign-in."""
    csrf: str
    """What a page of ours knows and a foreign one cannot: each write shows it."""

    def is_shown(self, csrf: str) -> bool:
        return hmac.compare_digest(csrf.encode(), self.csrf.encode())


class Sessions:
    """The secret of a session is the value of its cookie."""

    def __init__(self, tickets: Tickets) -> None:
        self._tickets = tickets

    def begin(self, caller: Caller, seconds: float) -> str:
        """The secret of a new session."""
        return self._tickets.issue(Purpose.SESSION, caller.to_json(), seconds)

    def find(self, secret: str) -> Session | None:
        told = self._tickets.read(Purpose.SESSION, secret)
        return None if told is None else Session(Caller.from_json(told), csrf_of(secret))

    def end(self, secret: str) -> None:
        self._tickets.revoke(secret)


def csrf_of(secret: str) -> str:
    return derived(secret, "csrf")
