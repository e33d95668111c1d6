"""A token of an issuer: whether it is what it says, and meant for us."""

import time
from collections.abc import Sequence

from joserfc import jws, jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwt import JWTClaimsRegistry

from lakebed.access.oidc.issuer import Issuer
from lakebed.access.oidc.wire import Json
from lakebed.database.clock import Clock
from lakebed.errors import Unauthenticated
from lakebed.settings.access import OidcSettings

LEEWAY = 30
"""Seconds by which the issuer's clock and ours may differ."""
MOST_LETTERS = 16 * 1024


async def claims_of(
    text: str, issuer: Issuer, settings: OidcSettings, audience: str, clock: Clock = time.time
) -> Json:
    """What a token says, once its signature, issuer, audience and times are found right.

    Raises Unauthenticated, IssuerAway.
    """
    key = await issuer.key(_kid(text, settings.algorithms))
    if key is None:
        raise Unauthenticated("the token is signed by a key that its issuer does not have")
    try:
        claims: Json = jwt.decode(text, key, algorithms=list(settings.algorithms)).claims
        _registry(settings, audience, clock).validate(claims)
    except ExpiredTokenError:
        raise Unauthenticated("the token has expired", advice="get a new one") from None
    except (JoseError, ValueError, TypeError, OverflowError, RecursionError):
        raise Unauthenticated("the token is not valid here") from None
    amr = claims.get("amr")
    if settings.amr and not (isinstance(amr, list) and any(one in settings.amr for one in amr)):
        raise Unauthenticated(
            "the token's owner was not authenticated as it takes here",
            advice=f"sign in by one of: {', '.join(settings.amr)}",
        )
    return claims


def _kid(text: str, algorithms: Sequence[str]) -> str:
    """The name of its key, where it could be a token at all: nobody is asked of another."""
    try:
        if len(text) > MOST_LETTERS:
            raise ValueError
        header = jws.extract_compact(text.encode("ascii")).headers()
    except (JoseError, ValueError, TypeError, RecursionError):
        raise Unauthenticated("this is no key and no token") from None
    kid = header.get("kid")
    if header.get("alg") not in algorithms or not isinstance(kid, str):
        raise Unauthenticated("the token is not signed as it takes here")
    return kid


def _registry(settings: OidcSettings, audience: str, clock: Clock) -> JWTClaimsRegistry:
    return JWTClaimsRegistry(
        now=lambda: int(clock()),
        leeway=LEEWAY,
        iss={"essential": True, "values": [settings.issuer, settings.issuer + "/"]},
        aud={"essential": True, "value": audience},
        sub={"essential": True},
        exp={"essential": True},
    )
