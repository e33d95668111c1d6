"""What an issuer's claims mean here: roles and grants, by groups that the configuration names."""

from collections.abc import Iterable, Mapping

from lakebed.access.caller import Caller, Grant
from lakebed.access.oidc.wire import Json
from lakebed.access.permission import Role
from lakebed.settings.access import OidcSettings

CALLER = "oidc:"
"""What the id of a caller begins with whom an issuer vouches for."""
LONGEST_NAME = 200


def caller_of(claims: Json, settings: OidcSettings) -> Caller:
    """The caller that verified claims tell of."""
    subject = str(claims["sub"])
    name = claims.get("preferred_username") or claims.get("email") or subject
    known = settings.roles.keys() | settings.grants.keys()
    groups = sorted(known & set(_values(claims, settings.roles_claim)))
    return mapped(
        f"{CALLER}{settings.issuer}#{subject}", str(name)[:LONGEST_NAME], groups, settings
    )


def mapped(caller_id: str, name: str, groups: Iterable[str], settings: OidcSettings) -> Caller:
    """A caller of these groups, as the configuration has it now."""
    groups = tuple(groups)
    roles = [Role(role) for group in groups for role in settings.roles.get(group, ())]
    grants: dict[Grant, None] = {}
    for group in groups:
        if given := settings.grants.get(group):
            grants |= dict.fromkeys(Grant(place) for place in given.read)
            grants |= dict.fromkeys(Grant(place, write=True) for place in given.write)
    return Caller(caller_id, name, frozenset(roles), tuple(grants), groups)


def _values(claims: Mapping[str, object], path: str) -> list[str]:
    found: object = claims.get(path)
    if found is None:
        found = claims
        for name in path.split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
    values = found if isinstance(found, list) else [found]
    return [value for value in values if isinstance(value, str)]
