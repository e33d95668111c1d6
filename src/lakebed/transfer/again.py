"""Decides again on what an earlier run planned: the ends may hold something else by now."""

from lakebed.errors import DestinationChanged, LakebedError
from lakebed.model.objects import Object
from lakebed.model.operation import Compare, Kind, OnChange, Outcome, Unit
from lakebed.transfer.compare import settled_by_listing, unchanged
from lakebed.transfer.now import held_now
from lakebed.transfer.outcomes import failed
from lakebed.transfer.recorder import Memory
from lakebed.transfer.sides import Sides


class Again:
    """Called with a unit: the outcomes of one that nobody may move now, else none.

    What an earlier run refused is pending again where it was killed before it could say so, or
    where a resume retries it; and the destination may hold something else by now.
    """

    def __init__(self, sides: Sides, memory: Memory, kind: Kind = Kind.SYNC) -> None:
        self._sides, self._memory, self._kind = sides, memory, kind
        self._options = sides.options

    def __call__(self, unit: Unit) -> tuple[Outcome, ...]:
        if self._kind is Kind.VERIFY:
            return ()
        refused = self._overtaken(unit)
        return tuple(failed(item, refused) for item in unit.items) if refused else ()

    def _overtaken(self, unit: Unit) -> LakebedError | None:
        """Why the destination's objects are not to be written over as they are now, or None.

        A copy of this very revision may be: the killed run made it and could not say so, and
        made again it is proved. Halves go together: one that stays keeps the other away.
        """
        options = self._options
        if options.on_change is OnChange.REPLACE and not options.ignore_existing:
            return None
        fails = options.on_change is OnChange.FAIL and not options.ignore_existing
        for item in unit.items:
            there = held_now(self._sides.destination, item.key)
            if item.source is not None and there is not None:
                same, reason = self._as_source(item.key, item.source, there)
                if not same:
                    return another_revision(item.key, reason, fails=fails)
        return None

    def _as_source(self, key: str, source: Object, there: Object) -> tuple[bool, str]:
        # Bytes with the MD5 of the source's are those of a copy, whatever is to be compared.
        if settled_by_listing(Compare.AUTO, source, there):
            return True, "same MD5"
        if self._options.ignore_existing:
            return False, "it came after the plan"
        return unchanged(self._options.compare, source, there, self._memory.copies([key]).get(key))


def another_revision(key: str, reason: str, *, fails: bool) -> DestinationChanged:
    """`fails`: under `--on-change fail`, which has other rules to offer."""
    return DestinationChanged(
        f"the destination holds another revision ({reason})",
        subject=key,
        advice="--on-change replace copies it, keep leaves it"
        if fails
        else "it was left as it is; a new run plans anew",
    )
