"""The plan: for each couple of the merged listings what is to be done, and why. O(1) in memory."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from lakebed.errors import LakebedError, ObjectMissing
from lakebed.model.objects import Object
from lakebed.model.operation import (
    Action,
    Compare,
    Copied,
    Counters,
    Decision,
    Filters,
    Item,
    Kind,
    ObjectState,
    OnChange,
    Outcome,
    Unit,
)
from lakebed.model.pair import archive_of
from lakebed.transfer.again import another_revision
from lakebed.transfer.compare import same_md5, settled_by_listing, unchanged
from lakebed.transfer.filters import Selector
from lakebed.transfer.inventory import check_inventory
from lakebed.transfer.keys import refusal
from lakebed.transfer.listings import couples
from lakebed.transfer.merge import Couple, Entry
from lakebed.transfer.outcomes import failed, quarantined
from lakebed.transfer.places import check_locations
from lakebed.transfer.recorder import Memory, Quarantine
from lakebed.transfer.sides import Sides
from lakebed.transfer.stretch import Stretch

_CHUNK = 500
"""Couples that are decided together, so that the ledger is asked once for many."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One object's decision. `size` in bytes; `key` is relative."""

    decision: Decision
    key: str
    size: int
    reason: str


@dataclass(frozen=True, slots=True)
class Step:
    """What is decided for one couple: what is acted on now, and what is deleted in the end.

    A unit with `outcomes` is settled already, not moved.
    """

    planned: tuple[Planned, ...]
    floor: str
    counters: Counters
    unit: Unit | None = None
    outcomes: tuple[Outcome, ...] = ()
    deletion: Unit | None = None

    def foreseen(self) -> Iterator[Planned]:
        """The decisions as a run would carry them out."""
        settled = {outcome.key: outcome for outcome in self.outcomes}
        deleted = {item.key for item in self.deletion.items} if self.deletion else set()
        for planned in self.planned:
            outcome = settled.get(planned.key)
            if outcome is not None:
                refused = outcome.state is ObjectState.QUARANTINED
                decision = Decision.SKIP if refused else Decision.FAIL
                yield replace(planned, decision=decision, reason=outcome.message or "")
            elif planned.key in deleted:
                yield replace(planned, decision=Decision.DELETE)
            else:
                yield planned

    @property
    def units(self) -> tuple[Unit, ...]:
        return tuple(unit for unit in (self.unit, self.deletion) if unit is not None)


class Planner:
    """Plans one operation of `kind`. Raises UsageError for ends or filters that make no sense."""

    def __init__(self, sides: Sides, memory: Memory, kind: Kind = Kind.SYNC) -> None:
        if kind is Kind.SYNC:
            check_locations(
                sides.source.location,
                sides.destination.location,
                same_endpoint=sides.same_endpoint,
            )
        check_inventory(sides.source.location, sides.options)
        self._sides, self._memory, self._kind = sides, memory, kind
        self._options = sides.options
        self._selector = Selector.of(sides.options.filters)

    def steps(self, after: str = "", *, skim: bool = False) -> Generator[Step, None, None]:
        """Each couple's step. Raises what the listings raise; ListingRefused above all.

        To `skim` is to take stretches of unchanged couples as one step, where nothing more than
        how many they are need be known of them. Close it after use: listings are under way.
        """
        with couples(self._sides, after, skim=skim and self._may_skim) as found:
            for chunk in _chunks(filter(self._selected, found)):
                doubtful = self._doubtful(chunk)
                memory = self._memory.copies(doubtful) if doubtful else {}
                for part in chunk:
                    if isinstance(part, Stretch):
                        yield _skimmed(part)
                    else:
                        yield self._step(part, memory)

    @property
    def _may_skim(self) -> bool:
        """Whether equal sizes and MD5 ETags are all that is asked of an unchanged object."""
        options = self._options
        return (
            self._kind is Kind.SYNC
            and options.compare is not Compare.DIGEST
            and options.filters == Filters()
            and (options.ignore_existing or not options.delete_source)
        )

    def quarantined(self, steps: Sequence[Step]) -> Iterator[Step]:
        """The steps, those settled whose pair is in quarantine as it is now."""
        asked = [step.unit.items[0].key for step in steps if step.unit and step.unit.digest]
        kept = self._memory.quarantines(asked) if asked else {}
        for step in steps:
            yield _held_back(step, kept)

    def _selected(self, couple: Couple | Stretch) -> bool:
        if isinstance(couple, Stretch):
            return True
        entry, key = couple.archive, couple.key
        if entry is None:
            entry, key = couple.sidecar, archive_of(key)
        held = (entry.source or entry.destination) if entry is not None else None
        return held is not None and self._selector.selects(key, held.size, held.modified)

    def _doubtful(self, chunk: Sequence[Couple | Stretch]) -> list[str]:
        """The keys of which only the ledger can tell whether they are unchanged."""
        return [
            entry.key
            for couple in chunk
            if isinstance(couple, Couple)
            for entry in (couple.archive, couple.sidecar)
            if entry and entry.source and entry.destination
            if not settled_by_listing(self._options.compare, entry.source, entry.destination)
        ]

    def _step(self, couple: Couple, memory: Mapping[str, Copied]) -> Step:
        entries = [entry for entry in (couple.archive, couple.sidecar) if entry is not None]
        if self._kind is Kind.VERIFY:
            return self._verified(couple, entries)
        planned = tuple(self._decide(entry, memory.get(entry.key)) for entry in entries)
        if self._options.on_change is OnChange.KEEP or self._options.ignore_existing:
            planned = _kept(planned)
        planned = _as_one(couple, planned, overwrites=not self._options.ignore_existing)
        unit, deletion = self._units(couple, entries, planned)
        refused = self._refusal(unit, planned) if unit else None
        return Step(
            planned,
            couple.floor,
            _count(couple, entries, planned, unit, deletion),
            unit,
            tuple(failed(item, refused) for item in unit.items) if unit and refused else (),
            deletion,
        )

    def _decide(self, entry: Entry, last: Copied | None) -> Planned:
        source, destination = entry.source, entry.destination
        if source is None:
            size = destination.size if destination else 0
            return Planned(Decision.EXTRA, entry.key, size, "not at the source")
        if destination is None:
            return Planned(Decision.COPY, entry.key, source.size, "missing")
        same, reason = unchanged(self._options.compare, source, destination, last)
        if same and self._options.delete_source and not self._options.ignore_existing:
            return Planned(Decision.COPY, entry.key, source.size, "to be moved")
        decision = Decision.SKIP if same else Decision.CHANGED
        return Planned(decision, entry.key, source.size, reason)

    def _units(
        self, couple: Couple, entries: list[Entry], planned: tuple[Planned, ...]
    ) -> tuple[Unit | None, Unit | None]:
        copies, deletions = [], []
        for entry, decided in zip(entries, planned, strict=True):
            etag = entry.destination.etag if entry.destination else None
            if decided.decision in (Decision.COPY, Decision.CHANGED):
                copies.append(Item(entry.key, Action.COPY, entry.source, etag))
            elif decided.decision is Decision.EXTRA and self._options.delete:
                deletions.append(Item(entry.key, Action.DELETE, None, etag))
        if len(deletions) < len(entries):
            deletions = []  # a pair is deleted as a whole: the source still has its other half
        return (
            Unit(tuple(copies), _digest(couple, copies)) if copies else None,
            Unit(tuple(deletions)) if deletions else None,
        )

    def _refusal(self, unit: Unit, planned: tuple[Planned, ...]) -> LakebedError | None:
        """A failure that is certain before anything is moved: of one item, then of them all."""
        destination = self._sides.destination
        for item in unit.items:
            refused = refusal(destination, destination.location.key(item.key))
            if refused is not None:
                return refused
        changed = [p for p in planned if p.decision is Decision.CHANGED]
        if changed and self._options.on_change is OnChange.FAIL:
            return another_revision(changed[0].key, changed[0].reason, fails=True)
        return None

    def _verified(self, couple: Couple, entries: list[Entry]) -> Step:
        items, planned, outcomes = [], [], []
        for entry in entries:
            if entry.source is None:
                planned.append(self._decide(entry, None))
                continue
            etag = entry.destination.etag if entry.destination else None
            item = Item(entry.key, Action.VERIFY, entry.source, etag)
            items.append(item)
            planned.append(Planned(Decision.SKIP, entry.key, entry.source.size, "to be proved"))
            if entry.destination is None:
                missing = ObjectMissing("the destination does not hold it", subject=entry.key)
                outcomes.append(failed(item, missing))
        if outcomes and len(outcomes) < len(items):
            half = ObjectMissing("the other half of its pair is missing", subject=couple.key)
            gone = {outcome.key for outcome in outcomes}
            outcomes += [failed(item, half) for item in items if item.key not in gone]
        unit = Unit(tuple(items), _digest(couple, items)) if items else None
        counters = _count(couple, entries, tuple(planned), unit)
        counters.skipped = 0
        return Step(tuple(planned), couple.floor, counters, unit, tuple(outcomes))


def _chunks(found: Iterator[Couple | Stretch]) -> Iterator[list[Couple | Stretch]]:
    """A chunk ends with a stretch: the next one may be many listed pages away."""
    chunk: list[Couple | Stretch] = []
    for part in found:
        chunk.append(part)
        if len(chunk) >= _CHUNK or isinstance(part, Stretch):
            yield chunk
            chunk = []
    yield chunk


def _skimmed(stretch: Stretch) -> Step:
    counted = Counters(listed=stretch.entries, skipped=stretch.entries, halves=stretch.halves)
    return Step((), stretch.floor, counters=counted)


def _digest(couple: Couple, items: Sequence[Item]) -> Object | None:
    """The sidecar that publishes the digest of the first item, where that is an archive."""
    if couple.archive is None or not items or items[0].key != couple.archive.key:
        return None
    return couple.sidecar.source if couple.sidecar else couple.digest


def _as_one(
    couple: Couple, planned: tuple[Planned, ...], *, overwrites: bool
) -> tuple[Planned, ...]:
    """A pair is trusted as one: a new sidecar asks for its archive to be proved again, and a new
    archive brings along a sidecar that nothing shows to be the same: its size never changes."""
    if len(planned) != 2:
        return planned
    archive, sidecar = planned
    moves = (Decision.COPY, Decision.CHANGED)
    if archive.decision in moves and sidecar.decision is Decision.SKIP and overwrites:
        if couple.sidecar and _is_same(couple.sidecar):
            return planned
        return archive, replace(sidecar, decision=archive.decision, reason="its archive changed")
    if archive.decision is Decision.SKIP and sidecar.decision in moves:
        if not overwrites:
            return archive, replace(sidecar, decision=Decision.SKIP, reason="kept: its archive")
        missing = sidecar.decision is Decision.COPY
        reason = "its sidecar is missing" if missing else "its sidecar changed"
        return replace(archive, decision=sidecar.decision, reason=reason), sidecar
    return planned


def _is_same(entry: Entry) -> bool:
    source, destination = entry.source, entry.destination
    return source is not None and destination is not None and same_md5(source, destination)


def _kept(planned: tuple[Planned, ...]) -> tuple[Planned, ...]:
    """What the destination holds stays as it is, and no half of another revision joins it."""
    if not any(p.decision is Decision.CHANGED for p in planned):
        return planned
    return tuple(
        replace(p, decision=Decision.SKIP, reason=f"kept: {p.reason}")
        if p.decision in (Decision.COPY, Decision.CHANGED)
        else p
        for p in planned
    )


def _count(
    couple: Couple, entries: Sequence[Entry], planned: Sequence[Planned], *units: Unit | None
) -> Counters:
    items = [item for unit in units if unit for item in unit.items]
    halves = couple.archive is None and couple.sidecar is not None and bool(couple.sidecar.source)
    lonely = couple.sidecar is None and couple.digest is None and couple.key.endswith(".zip")
    return Counters(
        listed=sum(entry.source is not None for entry in entries),
        skipped=sum(p.decision is Decision.SKIP for p in planned),
        extra=sum(p.decision is Decision.EXTRA for p in planned),
        halves=int(halves or (lonely and entries[0].source is not None)),
        planned=len(items),
        planned_bytes=sum(item.source.size for item in items if item.source),
    )


def _held_back(step: Step, kept: Mapping[str, Quarantine]) -> Step:
    unit = step.unit
    if unit is None or unit.digest is None or step.outcomes:
        return step
    archive = unit.items[0]
    known = kept.get(archive.key)
    if known is None or archive.source is None or archive.action is not Action.COPY:
        return step
    if (known.source_etag, known.digest_etag) != (archive.source.etag, unit.digest.etag):
        return step
    message = "in quarantine: neither half has changed since its digest refused it"
    return replace(step, outcomes=tuple(quarantined(item, message) for item in unit.items))
