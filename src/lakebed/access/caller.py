"""A caller: who it is, what it may do, and where."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from lakebed.access.permission import PERMISSIONS, Permission, Role
from lakebed.errors import Forbidden
from lakebed.model.location import Location

EVERYWHERE = "*"


@dataclass(frozen=True, slots=True)
class Grant:
    """Places that may be read, or read and written: `*`, `store:`, `store:bucket`,
    `store:bucket/prefix/`, or exactly one key.

    Only `*` covers the folders of the machine that serves.
    """

    place: str
    write: bool = False

    def covers(self, location: Location) -> bool:
        if self.place == EVERYWHERE:
            return True
        store, colon, rest = self.place.partition(":")
        if location.is_local or not colon or store != location.store:
            return False
        if not rest:
            return True
        bucket, _, path = rest.partition("/")
        if bucket != location.bucket or _climbs(location):
            return False
        is_folder = path == "" or path.endswith("/")
        return location.path.startswith(path) if is_folder else location.path == path

    def touches(self, store: str, bucket: str = "") -> bool:
        """Whether it is of some place in this store, or in this bucket of it."""
        named, _, rest = self.place.partition(":")
        in_it = not bucket or rest.partition("/")[0] in ("", bucket)
        return self.place == EVERYWHERE or (named == store and in_it)


def _climbs(location: Location) -> bool:
    """Whether something on the way to the store could read the key as one elsewhere."""
    parts = location.path.replace("\\", "/").split("/")
    return location.bucket in (".", "..") or "." in parts or ".." in parts


@dataclass(frozen=True)
class Caller:
    """`id` is unique over all ways of showing who one is, as `key:ID` or `oidc:ISSUER#SUB`."""

    id: str
    name: str
    roles: frozenset[Role]
    grants: tuple[Grant, ...]
    groups: tuple[str, ...] = ()
    """What its issuer says of it, that roles and grants were told from."""

    @cached_property
    def permissions(self) -> frozenset[Permission]:
        return frozenset[Permission]().union(*(PERMISSIONS[role] for role in self.roles))

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions

    def may_read(self, location: Location) -> bool:
        return any(grant.covers(location) for grant in self.grants)

    def may_write(self, location: Location) -> bool:
        return any(grant.write and grant.covers(location) for grant in self.grants)

    def touches(self, store: str, bucket: str = "") -> bool:
        return any(grant.touches(store, bucket) for grant in self.grants)

    def check(self, permission: Permission) -> None:
        """Raises Forbidden."""
        if not self.may(permission):
            raise Forbidden(
                f"this takes the permission {permission}",
                subject=self.name,
                advice="ask an infrastructure_admin for a role that has it",
            )

    def check_read(self, locations: Iterable[Location]) -> None:
        """Raises Forbidden."""
        for location in locations:
            if not self.may_read(location):
                raise self._ungranted("read", location)

    def check_write(self, locations: Iterable[Location]) -> None:
        """Raises Forbidden."""
        for location in locations:
            if not self.may_write(location):
                raise self._ungranted("write", location)

    def _ungranted(self, verb: str, location: Location) -> Forbidden:
        return Forbidden(
            f"no grant lets {self.name} {verb} here",
            subject=str(location),
            advice="ask an infrastructure_admin for a grant",
        )

    def to_json(self) -> str:
        grants = [[grant.place, grant.write] for grant in self.grants]
        told = {
            "id": self.id,
            "name": self.name,
            "roles": sorted(self.roles),
            "grants": grants,
            "groups": self.groups,
        }
        return json.dumps(told)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Raises Forbidden where the text names no caller. A role that is no more gives nothing."""
        told = json.loads(text)
        if "id" not in told:
            raise Forbidden("nobody is known to have asked for this")
        return cls(
            told["id"],
            told["name"],
            frozenset(role for role in Role if role in told["roles"]),
            tuple(Grant(place, write) for place, write in told["grants"]),
            tuple(told.get("groups", ())),
        )


LOCAL = Caller(
    "local", "local", frozenset({Role.INFRASTRUCTURE_ADMIN}), (Grant(EVERYWHERE, write=True),)
)
"""Whoever is at the machine itself."""
