"""Whether a claimed operation may begin: rights are those of its caller at this moment."""

import json

from lakebed.access.caller import Caller
from lakebed.access.permits import check_request
from lakebed.access.standing import Standing
from lakebed.audit.entry import Fact
from lakebed.errors import Forbidden, Unauthenticated
from lakebed.executor.auditor import Auditor
from lakebed.operations.submission import Claim


class Admission:
    """The gate of the crew."""

    def __init__(self, standing: Standing, audit: Auditor) -> None:
        self._standing, self._audit = standing, audit

    def admit(self, claim: Claim) -> None:
        """A refusal is in the audit log before it is raised. Raises Forbidden, LedgerError."""
        caller = Caller.from_json(claim.submission.authority)
        try:
            self._check(caller, claim)
        except Forbidden as error:
            about = json.dumps({"error": error.code})
            subject = claim.lease.operation_id
            self._audit.enter(Fact(caller.id, "refused start", subject, about))
            raise

    def _check(self, caller: Caller, claim: Claim) -> None:
        try:
            today = self._standing.now(caller)
        except Unauthenticated as error:
            raise Forbidden(
                f"who asked for it is let in no more: {error.what}", subject=caller.name
            ) from None
        check_request(today, claim.request, claim.submission.priority)
