"""What a plan foresees: its decisions told, counted, and whether a run would delete at all."""

from collections import Counter
from typing import TYPE_CHECKING

from lakebed.model.operation import Decision, Request

if TYPE_CHECKING:
    from lakebed.transfer.plan import Planned


class Forecast:
    """Counts the decisions of one plan as they are made."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._sizes: Counter[Decision] = Counter()
        self.objects: Counter[Decision] = Counter()

    def add(self, planned: "Planned") -> None:
        self.objects[planned.decision] += 1
        self._sizes[planned.decision] += planned.size

    @property
    def bytes(self) -> int:
        """To be copied."""
        return self._sizes[Decision.COPY] + self._sizes[Decision.CHANGED]

    @property
    def extra(self) -> int:
        return self.objects[Decision.EXTRA] + self.objects[Decision.DELETE]

    @property
    def listed(self) -> int:
        """Objects of the source."""
        return self.objects.total() - self.extra

    @property
    def kept_back(self) -> str:
        """Why a run would delete nothing at all, for what is known only at the end; or nothing."""
        most = self._request.options.max_delete
        if not self.objects[Decision.DELETE]:
            return ""
        if not self.listed:
            return "the source lists no object"
        return f"--max-delete is {most}" if most is not None and self.extra > most else ""

    def summary_event(self) -> dict[str, str | int]:
        """The last line of a plan in JSON."""
        counts = {str(decision): self.objects[decision] for decision in Decision}
        kept = {"nothing_deleted": self.kept_back} if self.kept_back else {}
        return {"event": "summary", **counts, "bytes": self.bytes, **kept}


def decision_event(planned: "Planned") -> dict[str, str | int]:
    return {
        "event": "decision",
        "decision": planned.decision,
        "key": planned.key,
        "size": planned.size,
        "reason": planned.reason,
    }
