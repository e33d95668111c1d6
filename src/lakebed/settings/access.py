"""Who may use the service: `[access]`."""

import re
from ipaddress import ip_address
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, SecretStr, model_validator

from lakebed.settings.restart import RESTART
from lakebed.settings.store import FROZEN, Seconds, Words

Mode = Literal["token", "none", "keys", "oidc"]
RoleName = Literal["infrastructure_admin", "workflow_operator", "storage_admin", "readonly_user"]
Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
"""Signatures by a key that the issuer alone has: no other can be allowed."""

_PLACE = re.compile(r"\*|[A-Za-z0-9][A-Za-z0-9._-]*:([^/]+(/.*)?)?", re.DOTALL)


def is_loopback(host: str) -> bool:
    """Whether an address, or the name `localhost`, is of this machine only."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def is_private_to(url: str) -> bool:
    """Whether nobody on the way can read or change what is asked of this URL."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    return bool(host) and (
        parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
    )


def _issuer(text: str) -> str:
    if not is_private_to(text) or urlsplit(text).query or urlsplit(text).fragment:
        raise ValueError("write https://HOST/PATH; http is for loopback only")
    return text.rstrip("/")


def check_place(text: str) -> str:
    """Raises ValueError for what no grant can be for."""
    if not _PLACE.fullmatch(text):
        raise ValueError(
            f"{text!r} is no place: write store:bucket/prefix/, store:bucket, store: or *"
        )
    return text


def _some(value: object) -> object:
    """One word stands for a list of one; a variable of the environment holds commas."""
    return [word.strip() for word in value.split(",")] if isinstance(value, str) else value


GrantPlace = Annotated[str, AfterValidator(check_place)]
Places = Annotated[tuple[GrantPlace, ...], BeforeValidator(_some)]
Roles = Annotated[tuple[RoleName, ...], BeforeValidator(_some)]


class Granted(BaseModel):
    """Places, as `store:bucket/prefix/`."""

    model_config = FROZEN

    read: Places = ()
    """May be read."""
    write: Places = ()
    """May be read and written."""


class OidcSettings(BaseModel):
    """An issuer of OpenID Connect, and what its claims mean here."""

    model_config = FROZEN

    issuer: Annotated[str, AfterValidator(_issuer)]
    """As its tokens name it; its discovery document lies below."""
    audience: Annotated[str, Field(min_length=1)]
    """What a bearer token must be meant for."""
    client_id: str = ""
    """This service at the issuer; without it nobody signs in by a browser."""
    client_secret: SecretStr | None = None
    """`env:NAME` or `file:PATH`; not needed for a public client."""
    algorithms: Annotated[tuple[Algorithm, ...], BeforeValidator(_some), Field(min_length=1)] = (
        "RS256",
        "PS256",
        "ES256",
    )
    """Signatures that are taken."""
    amr: Words = ()
    """A token must name one of these as how its owner was authenticated, as `otp`."""
    roles_claim: str = "groups"
    """The claim that has the groups, or its path, as `realm_access.roles`."""
    roles: dict[str, Roles] = {}
    """Roles by group."""
    grants: dict[str, Granted] = {}
    """Grants by group."""


class AccessSettings(BaseModel):
    """How callers are told apart, and how much each may ask."""

    model_config = FROZEN

    mode: Annotated[Mode, Field(json_schema_extra=RESTART)] = "token"
    """`token`: one that is made at start, on loopback; `keys`: API keys; `oidc`: these and an
    issuer's tokens; `none`: everybody may do everything, on loopback."""
    rate: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    """Requests a minute that a caller may make, over all replicas."""
    burst: Annotated[int, Field(ge=1, le=100_000)] = 100
    """Requests at once."""
    session: Seconds = 8 * 3600.0
    """How long somebody stays signed in."""
    oidc: OidcSettings | None = None

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.mode == "oidc" and self.oidc is None:
            raise ValueError("mode oidc needs a table [access.oidc]")
        return self
