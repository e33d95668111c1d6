"""API keys: `lkb_ID_SECRET`, shown once when they are made, and valid until they are revoked."""

import json
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from secrets import token_hex

from sqlalchemy import Engine, RowMapping, insert, select, update

from lakebed.access.caller import Caller, Grant
from lakebed.access.permission import Role
from lakebed.access.secret import digest, matches, new_secret
from lakebed.database.clock import Clock
from lakebed.database.tables import api_keys
from lakebed.database.text import storable
from lakebed.database.transaction import reading, writing
from lakebed.errors import Unauthenticated, UsageError

PREFIX = "lkb_"
CALLER = "key:"
"""What the id of a caller begins with who shows a key."""
_SHAPE = re.compile(r"lkb_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")


class KeyState(StrEnum):
    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of a key; its secret is not. Moments in epoch seconds."""

    id: str
    name: str
    roles: frozenset[Role]
    grants: tuple[Grant, ...]
    created: float
    created_by: str
    expires: float | None = None
    revoked: float | None = None

    def state(self, now: float) -> KeyState:
        if self.revoked is not None:
            return KeyState.REVOKED
        return (
            KeyState.EXPIRED
            if self.expires is not None and self.expires <= now
            else (KeyState.VALID)
        )


class Keys:
    """Every method is one transaction and raises LedgerError where the database fails.

    Each replica reads a key whenever it is shown: what is revoked opens nothing from then on.
    """

    def __init__(self, engine: Engine, clock: Clock = time.time) -> None:
        self._engine = engine
        self._now = clock

    def create(
        self,
        name: str,
        roles: Iterable[Role],
        grants: Iterable[Grant],
        seconds: float | None,
        created_by: str,
    ) -> tuple[Key, str]:
        """A new key, and the text that its owner shows; `seconds` is how long it is valid."""
        now, secret = self._now(), new_secret()
        expires = None if seconds is None else now + seconds
        made = Key(token_hex(6), name, frozenset(roles), tuple(grants), now, created_by, expires)
        row = {
            "id": made.id,
            "secret_sha256": digest(secret),
            "name": storable(name),
            "authority": _authority(made),
            "created": now,
            "created_by": created_by,
            "expires": expires,
        }
        with writing(self._engine) as connection:
            connection.execute(insert(api_keys), row)
        return made, f"{PREFIX}{made.id}_{secret}"

    def list(self) -> "list[Key]":
        """All that were ever made, the newest first."""
        query = select(api_keys).order_by(api_keys.c.created.desc(), api_keys.c.id)
        with reading(self._engine) as connection:
            return [_key(row) for row in connection.execute(query).mappings()]

    def revoke(self, key_id: str) -> Key:
        """Have it open nothing more. Raises UsageError where there is no such key."""
        change = (
            update(api_keys)
            .where(api_keys.c.id == key_id, api_keys.c.revoked.is_(None))
            .values(revoked=self._now())
        )
        with writing(self._engine) as connection:
            connection.execute(change)
            row = connection.execute(select(api_keys).where(api_keys.c.id == key_id)).mappings()
            found = row.first()
        if found is None:
            raise UsageError("no such key", subject=key_id, advice="`lakebed keys list` names them")
        return _key(found)

    def caller(self, shown: str) -> Caller:
        """Who shows this text. Raises Unauthenticated."""
        shape = _SHAPE.fullmatch(shown)
        row = self._row(shape[1]) if shape else None
        # Only whoever has the secret is told that its key was revoked.
        if shape is None or row is None or not matches(shape[2], row["secret_sha256"]):
            raise Unauthenticated(
                "this is no key, and no token of this executor",
                advice="a token changes at each start; `lakebed keys create` makes a key",
            )
        return self._valid(_key(row))

    def now(self, key_id: str) -> Caller:
        """What the owner of a key may today. Raises Unauthenticated."""
        row = self._row(key_id)
        if row is None:
            raise Unauthenticated("this is no key")
        return self._valid(_key(row))

    def _valid(self, key: Key) -> Caller:
        state = key.state(self._now())
        if state is not KeyState.VALID:
            raise Unauthenticated(
                f"the key is {state}", subject=key.id, advice="ask for another one"
            )
        return Caller(CALLER + key.id, key.name, key.roles, key.grants)

    def _row(self, key_id: str) -> RowMapping | None:
        with reading(self._engine) as connection:
            found = connection.execute(select(api_keys).where(api_keys.c.id == key_id))
            return found.mappings().first()


def _authority(key: Key) -> str:
    grants = [[grant.place, grant.write] for grant in key.grants]
    return json.dumps({"roles": sorted(key.roles), "grants": grants})


def _key(row: RowMapping) -> Key:
    told = json.loads(row["authority"])
    return Key(
        row["id"],
        row["name"],
        frozenset(role for role in Role if role in told["roles"]),
        tuple(Grant(place, write) for place, write in told["grants"]),
        row["created"],
        row["created_by"],
        row["expires"],
        row["revoked"],
    )
