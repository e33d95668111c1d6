"""Who it is that shows a token, a key, a sign-in code or a session."""

from collections.abc import Callable

from sqlalchemy import Engine

from lakebed.access.caller import LOCAL, Caller
from lakebed.access.failures import Failures
from lakebed.access.keys import Keys
from lakebed.access.oidc.claims import caller_of
from lakebed.access.oidc.issuer import Issuer
from lakebed.access.oidc.login import Login
from lakebed.access.oidc.token import claims_of
from lakebed.access.rates import Limit, Rates
from lakebed.access.secret import digest, matches, new_secret
from lakebed.access.sessions import Session, Sessions
from lakebed.access.standing import Standing
from lakebed.access.tickets import Purpose, Tickets
from lakebed.errors import Unauthenticated, UsageError
from lakebed.settings.access import AccessSettings, Mode, OidcSettings

CODE_SECONDS = 3600.0
"""How long a sign-in code can be used."""


class Reception:
    """One of a replica, which `replica` names. Settings are asked for anew each time.

    Methods that are no coroutines may ask the database, and raise LedgerError.
    """

    def __init__(
        self, settings: Callable[[], AccessSettings], engine: Engine, replica: str
    ) -> None:
        self._settings = settings
        keys, self._tickets = Keys(engine), Tickets(engine)
        self._keys = keys
        self._token: bytes | None = None
        self._issuer: Issuer | None = None
        self.standing = Standing(settings, keys)
        self.sessions = Sessions(self._tickets)
        self.rates = Rates(engine, replica)
        self.failures = Failures()

    @property
    def mode(self) -> Mode:
        return self._settings().mode

    @property
    def limit(self) -> Limit:
        settings = self._settings()
        return Limit(settings.rate / 60, settings.burst)

    @property
    def session_seconds(self) -> float:
        return self._settings().session

    def new_token(self) -> str:
        """The bearer token of this replica; the one before opens nothing more."""
        token = new_secret()
        self._token = digest(token)
        return token

    def new_code(self) -> str:
        """Signs whoever is at the machine in, once, at any replica."""
        return self._tickets.issue(Purpose.CODE, LOCAL.to_json(), CODE_SECONDS)

    def redeem(self, code: str) -> Caller:
        """Raises Unauthenticated."""
        told = self._tickets.redeem(Purpose.CODE, code)
        if told is None:
            raise Unauthenticated(
                "the code is not known, was used, or is too old",
                advice="use the token of its token file, or a key; a restart makes a new code",
            )
        return self.standing.now(Caller.from_json(told))

    def bearer(self, text: str) -> Caller:
        """Who shows the token of this replica, or an API key. Raises Unauthenticated."""
        if self.mode == "token" and self._token is not None and matches(text, self._token):
            return LOCAL
        return self._keys.caller(text)

    def signed_in(self, secret: str) -> Session:
        """Raises Unauthenticated."""
        found = self.sessions.find(secret)
        if found is None:
            raise Unauthenticated("the session has ended", advice="sign in again")
        return Session(self.standing.now(found.caller), found.csrf)

    @property
    def offers_login(self) -> bool:
        """Whether a browser can sign in at an issuer."""
        settings = self._settings()
        oidc = settings.oidc if settings.mode == "oidc" else None
        return oidc is not None and bool(oidc.client_id)

    def takes_tokens(self, text: str) -> bool:
        """Whether this text is to be read as the token of an issuer."""
        return self.mode == "oidc" and text.count(".") == 2

    async def token(self, text: str) -> Caller:
        """Who shows the token of the issuer. Raises Unauthenticated, IssuerAway."""
        issuer, settings = self._oidc()
        claims = await claims_of(text, issuer, settings, settings.audience)
        return caller_of(claims, settings)

    async def login_begun(self, login: Login) -> str:
        """Where the browser is sent. Raises IssuerAway, UsageError."""
        return await login.begun(*self._oidc())

    async def login_ended(self, login: Login, state: str, code: str) -> Caller:
        """Raises Unauthenticated, IssuerAway, UsageError."""
        return await login.ended(*self._oidc(), state, code)

    def _oidc(self) -> tuple[Issuer, OidcSettings]:
        settings = self._settings()
        oidc = settings.oidc if settings.mode == "oidc" else None
        if oidc is None:
            raise UsageError("no issuer is configured here", advice="see docs/access.md")
        if self._issuer is None or self._issuer.url != oidc.issuer:
            self._issuer = Issuer(oidc.issuer)
        return self._issuer, oidc
