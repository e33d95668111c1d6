"""Signing in by a browser: the code flow with PKCE, state and nonce.

All three come from one secret, which only a cookie of that browser holds: nothing of a login that
is under way is kept here, however many are begun.
"""

import base64
import hashlib
import hmac
import os
from dataclasses import dataclass
from urllib.parse import quote_plus, urlencode

from lakebed.access.caller import Caller
from lakebed.access.oidc.claims import caller_of
from lakebed.access.oidc.issuer import Issuer
from lakebed.access.oidc.token import claims_of
from lakebed.access.oidc.wire import ask
from lakebed.access.secret import derived
from lakebed.errors import ConfigurationError, Unauthenticated
from lakebed.settings.access import OidcSettings
from lakebed.settings.secret import reveal

_SUBJECT = "access.oidc.client_secret"


@dataclass(frozen=True, slots=True)
class Login:
    """`secret` is the cookie's value, `redirect` where the issuer sends the browser back to."""

    secret: str
    redirect: str

    @property
    def state(self) -> str:
        return derived(self.secret, "state")

    @property
    def nonce(self) -> str:
        return derived(self.secret, "nonce")

    @property
    def verifier(self) -> str:
        return derived(self.secret, "verifier")

    async def begun(self, issuer: Issuer, settings: OidcSettings) -> str:
        """Where the browser is sent. Raises IssuerAway, ConfigurationError."""
        if not settings.client_id:
            raise ConfigurationError(
                "nobody can sign in by a browser", advice="set access.oidc.client_id"
            )
        challenge = hashlib.sha256(self.verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": settings.client_id,
            "redirect_uri": self.redirect,
            "scope": "openid profile email",
            "state": self.state,
            "nonce": self.nonce,
            "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        where = (await issuer.endpoints()).authorization
        return f"{where}{'&' if '?' in where else '?'}{urlencode(asked)}"

    async def ended(self, issuer: Issuer, settings: OidcSettings, state: str, code: str) -> Caller:
        """Who has signed in. Raises Unauthenticated, IssuerAway."""
        if not hmac.compare_digest(state.encode(), self.state.encode()):
            raise Unauthenticated("this sign-in was begun elsewhere", advice="begin it again")
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect,
            "client_id": settings.client_id,
            "code_verifier": self.verifier,
        }
        auth = None
        if settings.client_secret is not None:
            secret = reveal(settings.client_secret, os.environ, _SUBJECT)
            auth = (quote_plus(settings.client_id), quote_plus(secret))
        told = await ask((await issuer.endpoints()).token, form, auth)
        claims = await claims_of(
            str(told.get("id_token", "")), issuer, settings, settings.client_id
        )
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), self.nonce.encode()):
            raise Unauthenticated("the token belongs to another sign-in", advice="begin it again")
        return caller_of(claims, settings)
