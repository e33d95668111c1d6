"""An issuer: where it is asked what, and the keys that it signs with, fetched and kept."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from lakebed.access.oidc.wire import DEADLINE, ask
from lakebed.errors import IssuerAway
from lakebed.settings.access import is_private_to

FRESH = 3600.0
"""Seconds for which keys are used without asking for new ones."""
STALE = 86_400.0
"""Seconds for which they are used where the issuer does not answer."""
PAUSE = 10.0
"""Seconds between two times that an issuer is asked, whatever tokens say."""
MOST_KEYS = 100
RSA_2048 = 342
"""Letters of base64 that a modulus of 2048 bits has; a shorter one can be broken."""

VerifyingKey = RSAKey | ECKey
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a browser signs in, and where its code is changed into tokens."""

    authorization: str
    token: str


class Issuer:
    """Used by one event loop. `clock` is one that nobody sets."""

    def __init__(
        self,
        url: str,
        clock: Callable[[], float] = time.monotonic,
        deadline: float = DEADLINE,
    ) -> None:
        self.url = url
        self._now = clock
        self._deadline = deadline
        self._asking = asyncio.Lock()
        self._background: asyncio.Task[None] | None = None
        self._keys: Mapping[str, VerifyingKey] = {}
        self._found: Mapping[str, object] = {}
        self._fetched: float | None = None
        self._tried: float | None = None
        self._failure: IssuerAway | None = None

    async def key(self, kid: str) -> VerifyingKey | None:
        """The key of this name, None where the issuer has none. Raises IssuerAway.

        A name that is not known has the issuer asked again, but not sooner than PAUSE after the
        last time, and once for all who wait.
        """
        age = self._age()
        if age is None or age > STALE or kid not in self._keys:
            await self._refresh()
        elif age > FRESH and self._may_ask() and not self.is_asking:
            self._background = asyncio.create_task(self._refresh())
            self._background.add_done_callback(self._refreshed)
        age = self._age()
        if age is None or age > STALE:
            raise self._failure or IssuerAway("the issuer does not answer", subject=self.url)
        return self._keys.get(kid)

    async def endpoints(self) -> Endpoints:
        """Raises IssuerAway."""
        if self._age() is None:
            await self._refresh()
        if self._age() is None:
            raise self._failure or IssuerAway("the issuer does not answer", subject=self.url)
        return Endpoints(
            _address(self._found, "authorization_endpoint"), _address(self._found, "token_endpoint")
        )

    @property
    def is_asking(self) -> bool:
        """Whether it is being asked for what is known still."""
        return self._background is not None

    def _age(self) -> float | None:
        return None if self._fetched is None else self._now() - self._fetched

    def _may_ask(self) -> bool:
        return self._tried is None or self._now() - self._tried >= PAUSE

    def _refreshed(self, _task: "asyncio.Task[None]") -> None:
        self._background = None

    async def _refresh(self) -> None:
        async with self._asking:
            if not self._may_ask():
                return
            self._tried = self._now()
            try:
                await self._fetch()
            except IssuerAway as error:
                self._failure = error
                _log.warning("%s", error)

    async def _fetch(self) -> None:
        where = f"{self.url}/.well-known/openid-configuration"
        found = await ask(where, deadline=self._deadline)
        if str(found.get("issuer", "")).rstrip("/") != self.url:
            raise IssuerAway("the discovery document is of another issuer", subject=where)
        told = await ask(_address(found, "jwks_uri"), deadline=self._deadline)
        self._keys, self._found, self._fetched = _keys(told.get("keys")), found, self._now()


def _address(found: Mapping[str, object], name: str) -> str:
    url = str(found.get(name, ""))
    if not is_private_to(url):
        raise IssuerAway(f"the discovery document has no {name} at https", subject=url)
    return url


def _keys(told: object) -> dict[str, VerifyingKey]:
    """Those that tokens can be verified by; one that cannot be read spoils no other."""
    found: dict[str, VerifyingKey] = {}
    for data in told[:MOST_KEYS] if isinstance(told, list) else ():
        if not isinstance(data, dict) or data.get("use", "sig") != "sig":
            continue
        kid, kind = data.get("kid"), data.get("kty")
        try:
            if not isinstance(kid, str):
                continue
            if kind == "RSA" and len(str(data.get("n", ""))) >= RSA_2048:
                found[kid] = RSAKey.import_key(data)
            elif kind == "EC":
                found[kid] = ECKey.import_key(data)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            _log.warning("a key of the issuer cannot be read: %s", type(error).__name__)
    return found
