"""What somebody may today who was let in before: in a session, or to ask for an operation."""

from collections.abc import Callable

from lakebed.access import keys
from lakebed.access.caller import LOCAL, Caller
from lakebed.access.keys import Keys
from lakebed.access.oidc import claims
from lakebed.errors import Unauthenticated
from lakebed.settings.access import AccessSettings


class Standing:
    def __init__(self, settings: Callable[[], AccessSettings], known: Keys) -> None:
        self._settings = settings
        self._keys = known

    def now(self, caller: Caller) -> Caller:
        """The same caller, with the roles and grants that it has now.

        Raises Unauthenticated where it is let in no more, LedgerError.
        """
        settings = self._settings()
        if caller.id == LOCAL.id and settings.mode in ("none", "token"):
            return LOCAL
        if caller.id.startswith(keys.CALLER):
            return self._keys.now(caller.id.removeprefix(keys.CALLER))
        oidc = settings.oidc if settings.mode == "oidc" else None
        if oidc is not None and caller.id.startswith(f"{claims.CALLER}{oidc.issuer}#"):
            return claims.mapped(caller.id, caller.name, caller.groups, oidc)
        raise Unauthenticated("this caller is not known any more", subject=caller.name)
