"""A recorder in memory, which keeps the order of what it was told."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace

from lakebed.model.operation import (
    Action,
    Copied,
    Counters,
    ObjectState,
    Outcome,
    Unit,
)
from lakebed.transfer.recorder import Batch, Quarantine
from lakebed.transfer.uploads import UploadsInMemory


class MemoryRecorder:
    """Fulfils `transfer.recorder.Recorder`; what it holds outlives a run, as the ledger does."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.uploads = UploadsInMemory()
        self.notes: list[str] = []
        self._cursor = ""
        self._counters = Counters()
        self._units: dict[str, Unit] = {}
        self.events: list[tuple[str, str]] = []
        """("planned", key) and ("done" | "failed" | …, key), as they came."""
        self.states: dict[str, ObjectState] = {}
        self.outcomes: dict[str, Outcome] = {}
        self.memory: dict[str, Copied] = {}
        self.quarantined: dict[str, Quarantine] = {}
        self.at_source: dict[str, Copied] = {}
        """What earlier operations brought to the source, by relative key."""

    def begin(self) -> None:
        """A new operation: only what is remembered of copies and quarantines stays."""
        self._cursor, self._counters = "", Counters()
        for told in (self._units, self.states, self.outcomes):
            told.clear()
        self.events.clear()

    def retry_failed(self) -> None:
        for key, state in self.states.items():
            if state in (ObjectState.FAILED, ObjectState.QUARANTINED):
                self.states[key] = ObjectState.PENDING

    def in_state(self, state: ObjectState) -> set[str]:
        return {key for key, found in self.states.items() if found is state}

    # --- the protocol ----------------------------------------------------------------------------

    def cursor(self) -> str:
        return self._cursor

    def unfinished(self) -> Iterator[Unit]:
        for unit in [self._units[key] for key in sorted(self._units)]:
            items = tuple(i for i in unit.items if self.states[i.key] is ObjectState.PENDING)
            if items:
                first = items[0].key == unit.items[0].key
                yield replace(unit, items=items, digest=unit.digest if first else None)

    def noted(self, note: str) -> None:
        self.notes.append(note)

    def planned(self, batch: Batch) -> None:
        with self._lock:
            for unit in batch.units:
                self._units[unit.items[0].key] = unit
                for item in unit.items:
                    assert item.key not in self.states, f"{item.key} is planned twice"
                    self.states[item.key] = ObjectState.PENDING
                    self.events.append(("planned", item.key))
            for field in fields(Counters):
                more = getattr(batch.counters, field.name)
                setattr(self._counters, field.name, getattr(self._counters, field.name) + more)
            assert batch.cursor >= self._cursor
            self._cursor = batch.cursor

    def settled(self, outcomes: Sequence[Outcome]) -> None:
        with self._lock:
            for outcome in outcomes:
                assert outcome.key in self.states, f"{outcome.key} was never planned"
                self.states[outcome.key] = outcome.state
                self.outcomes[outcome.key] = outcome
                self.events.append((outcome.state.value, outcome.key))
                self._remember(outcome)

    def counted(self) -> Counters:
        return self._counters

    def arrived(self) -> Iterator[Outcome]:
        for key in sorted(self.in_state(ObjectState.DONE)):
            if self._action(key) is Action.COPY:
                yield self.outcomes[key]

    def copies(self, keys: Sequence[str]) -> Mapping[str, Copied]:
        return {key: self.memory[key] for key in keys if key in self.memory}

    def brought(self, keys: Sequence[str]) -> Mapping[str, Copied]:
        return {key: self.at_source[key] for key in keys if key in self.at_source}

    def quarantines(self, keys: Sequence[str]) -> Mapping[str, Quarantine]:
        return {key: self.quarantined[key] for key in keys if key in self.quarantined}

    # --- inside ----------------------------------------------------------------------------------

    def _action(self, key: str) -> Action:
        return next(i.action for u in self._units.values() for i in u.items if i.key == key)

    def _remember(self, outcome: Outcome) -> None:
        if outcome.state is ObjectState.DONE and outcome.proof is not None:
            self.memory[outcome.key] = Copied(
                outcome.source_etag,
                outcome.destination_etag,
                outcome.size,
                outcome.proof,
                outcome.sha256,
            )
            self.quarantined.pop(outcome.key, None)
        unit = self._units.get(outcome.key)
        if outcome.state is ObjectState.QUARANTINED and unit and unit.digest:
            self.quarantined[outcome.key] = Quarantine(
                outcome.source_etag, unit.digest.etag, outcome.evidence or ""
            )
