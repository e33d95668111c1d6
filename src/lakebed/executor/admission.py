"""Whether a claimed operation may begin: rights are those of its caller at this moment."""

from lakebed.access.caller import Caller
from lakebed.access.permits import check_request
from lakebed.access.standing import Standing
from lakebed.errors import Forbidden, Unauthenticated
from lakebed.operations.queue import Claim


class Admission:
    """The gate of the crew."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing

    def admit(self, claim: Claim) -> None:
        """Raises Forbidden, LedgerError."""
        caller = Caller.from_json(claim.submission.authority)
        try:
            today = self._standing.now(caller)
        except Unauthenticated as error:
            raise Forbidden(
                f"who asked for it is let in no more: {error.what}", subject=caller.name
            ) from None
        check_request(today, claim.request, claim.submission.priority)
