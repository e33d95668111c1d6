import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from lakebed.database.transaction import writing
from lakebed.errors import LeaseLost, LedgerError
from lakebed.model.location import Location
from lakebed.model.objects import Object
from lakebed.model.operation import (
    Action,
    Copied,
    Counters,
    Item,
    Kind,
    Lane,
    ObjectState,
    OperationState,
    Outcome,
    Proof,
    Request,
    Unit,
)
from lakebed.model.pair import sidecar_of
from lakebed.operations import rows
from lakebed.operations.lease import Lease
from lakebed.operations.ledger import Failure, Ledger
from lakebed.operations.recorder import LedgerRecorder
from lakebed.store.cancellation import Cancellation
from lakebed.transfer.recorder import Batch, Quarantine
from tests.operations.conftest import REQUEST, Clock

MOMENT = datetime(2026, 5, 8, 12, 30, 1, 123456, UTC)
DIGEST = "d" * 64

Begin = Callable[..., LedgerRecorder]


@pytest.fixture
def begin(ledger: Ledger, clock: Clock) -> Begin:
    """A recorder for a new operation."""

    def begin(
        request: Request = REQUEST, cancellation: Cancellation | None = None
    ) -> LedgerRecorder:
        lease = Lease.acquire(ledger.engine, ledger.create(request), clock)
        return recorder_of(request, lease, cancellation)

    return begin


def recorder_of(
    request: Request, lease: Lease, cancellation: Cancellation | None = None
) -> LedgerRecorder:
    return LedgerRecorder(
        request, lease, cancellation or Cancellation(), clock=lease.clock, linger=0.0
    )


def id_of(recorder: LedgerRecorder) -> str:
    return recorder._lease.operation_id


@contextmanager
def later_run(recorder: LedgerRecorder, clock: Clock) -> Iterator[LedgerRecorder]:
    """The same operation, in the hands of another process."""
    clock.now += 60
    lease = Lease.acquire(recorder._lease.engine, id_of(recorder), clock)
    with recorder_of(recorder._request, lease) as later:
        yield later


def listed(key: str, source: Location = REQUEST.source, etag: str = "e1") -> Object:
    return Object(source.key(key), 10, etag, MOMENT)


def single(key: str) -> Unit:
    return Unit((Item(key, Action.COPY, listed(key), "old"),))


def pair(key: str) -> Unit:
    sidecar = listed(sidecar_of(key), etag="e2")
    items = (Item(key, Action.COPY, listed(key)), Item(sidecar_of(key), Action.COPY, sidecar))
    return Unit(items, sidecar)


def batch(*units: Unit, counters: Counters | None = None) -> Batch:
    cursor = units[-1].items[-1].key if units else ""
    return Batch(units, counters or Counters(), cursor)


def done(key: str) -> Outcome:
    return Outcome(
        key, ObjectState.DONE, 10, "e1", "w1", Lane.WHOLE, Proof.PUBLISHER_SHA256, DIGEST
    )


def failed(key: str, message: str = "it broke") -> Outcome:
    return Outcome(key, ObjectState.FAILED, error="store-fault", message=message, attempts=3)


def quarantined(key: str, evidence: str | None = None) -> Outcome:
    return Outcome(
        key,
        ObjectState.QUARANTINED,
        source_etag="e1",
        error="digest-refused",
        message="another digest",
        evidence=evidence,
    )


def settle(recorder: LedgerRecorder, *outcomes: Outcome) -> None:
    with recorder:
        for outcome in outcomes:
            recorder.settled([outcome])


# --- the plan ------------------------------------------------------------------------------------


def test_a_planned_batch_is_there_with_its_rows_its_counters_and_its_cursor(
    begin: Begin, ledger: Ledger
) -> None:
    recorder = begin()
    assert recorder.cursor() == ""
    counted = Counters(listed=5, skipped=2, extra=1, halves=1, planned=3, planned_bytes=30)
    recorder.planned(batch(single("a"), pair("b.zip"), counters=counted))
    recorder.planned(batch(single("c"), counters=counted))
    assert recorder.cursor() == "c"
    summary = ledger.summary(id_of(recorder))
    assert (summary.listed, summary.skipped, summary.extra, summary.halves) == (10, 4, 2, 2)
    assert summary.pending == 4
    assert list(recorder.unfinished()) == [single("a"), pair("b.zip"), single("c")]


def test_a_batch_without_units_moves_the_cursor(begin: Begin) -> None:
    recorder = begin()
    recorder.planned(Batch([], Counters(listed=1000, skipped=1000), "k"))
    assert recorder.cursor() == "k"
    assert list(recorder.unfinished()) == []


def test_a_key_that_is_planned_again_keeps_what_became_of_it(begin: Begin, ledger: Ledger) -> None:
    recorder = begin()
    recorder.planned(batch(single("a")))
    settle(recorder, done("a"))
    recorder.planned(batch(single("a"), single("b")))
    assert ledger.summary(id_of(recorder)).copied == 1
    assert [unit.items[0].key for unit in recorder.unfinished()] == ["b"]


def test_a_process_that_lost_its_lease_can_plan_nothing(
    begin: Begin, clock: Clock, ledger: Ledger
) -> None:
    recorder = begin()
    with later_run(recorder, clock) as later:
        with pytest.raises(LeaseLost):
            recorder.planned(batch(single("a")))
        with pytest.raises(LeaseLost):
            recorder.retry_failed()
        assert later.cursor() == ""
    assert ledger.summary(id_of(recorder)).pending == 0


def test_a_failing_plan_raises_our_own_error(begin: Begin, engine: Engine) -> None:
    recorder = begin()
    with writing(engine) as connection:
        connection.execute(text("ALTER TABLE objects RENAME TO away"))
    with pytest.raises(LedgerError, match="cannot be written"):
        recorder.planned(batch(single("a")))
    assert recorder.cursor() == ""


# --- what is unfinished --------------------------------------------------------------------------


def test_unfinished_units_come_in_the_order_of_their_bytes(begin: Begin) -> None:
    keys = [
        "",
        "\0",
        " ",
        "%",
        "A",
        "a",
        "a\0b",
        "a//",
        "a/b",
        "é",
        "币安人生",
        "\U0001f600",
        "\uffff",
    ]
    recorder = begin()
    recorder.planned(batch(*map(single, keys)))
    expected = sorted(keys, key=str.encode)
    assert [unit.items[0].key for unit in recorder.unfinished()] == expected


def test_a_key_of_the_greatest_length_is_kept(begin: Begin) -> None:
    recorder = begin(replace(REQUEST, source=Location("s", "b"), destination=Location("d", "b")))
    unit = Unit((Item("数" * 341, Action.DELETE, None, "x"),))
    recorder.planned(batch(unit))
    assert list(recorder.unfinished()) == [unit]


def test_a_pair_comes_together_however_far_apart_its_halves_are(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "PAGE", 2)
    between = [single(f"a.zip-{number}") for number in range(5)]
    recorder = begin()
    recorder.planned(batch(pair("a.zip"), *between, pair("b.zip")))
    units = list(recorder.unfinished())
    assert units[0] == pair("a.zip")
    assert sorted(units, key=lambda u: u.items[0].key) == [pair("a.zip"), *between, pair("b.zip")]


def test_what_settles_while_it_is_read_is_not_given_out_again(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "PAGE", 1)
    recorder = begin()
    recorder.planned(batch(pair("a.zip"), single("a.zip-1"), single("b")))
    stream = recorder.unfinished()
    assert next(stream) == pair("a.zip")
    assert next(stream) == single("a.zip-1")
    with recorder:
        recorder.settled([done("a.zip"), done("a.zip.CHECKSUM")])
    assert list(stream) == [single("b")]


def test_a_sidecar_whose_archive_is_done_comes_alone(begin: Begin) -> None:
    recorder = begin()
    recorder.planned(batch(pair("a.zip")))
    settle(recorder, done("a.zip"))
    sidecar = pair("a.zip").items[1]
    assert list(recorder.unfinished()) == [Unit((sidecar,))]


def test_an_archive_whose_sidecar_is_done_keeps_its_digest(begin: Begin) -> None:
    recorder = begin()
    recorder.planned(batch(pair("a.zip")))
    settle(recorder, done("a.zip.CHECKSUM"))
    whole = pair("a.zip")
    assert list(recorder.unfinished()) == [Unit(whole.items[:1], whole.digest)]


def test_halves_that_were_planned_apart_stay_apart(begin: Begin) -> None:
    units = [single("a.zip"), single("a.zip.CHECKSUM")]
    recorder = begin()
    recorder.planned(batch(*units))
    assert list(recorder.unfinished()) == units


def test_a_pair_that_is_to_be_deleted_comes_together(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "PAGE", 2)
    halves = tuple(Item(key, Action.DELETE, None, "x") for key in ("a.zip", "a.zip.CHECKSUM"))
    between = [Unit((Item(f"a.zip-{number}", Action.DELETE, None, "x"),)) for number in range(3)]
    recorder = begin()
    recorder.planned(batch(Unit(halves), *between))
    assert list(recorder.unfinished()) == [Unit(halves), *between]
    settle(recorder, Outcome("a.zip", ObjectState.DELETED))
    assert list(recorder.unfinished()) == [*between, Unit(halves[1:])]


def test_halves_of_which_one_is_copied_and_one_deleted_stay_apart(begin: Begin) -> None:
    units = [single("a.zip"), Unit((Item("a.zip.CHECKSUM", Action.DELETE, None, "x"),))]
    recorder = begin()
    recorder.planned(batch(*units))
    assert list(recorder.unfinished()) == units


def test_one_exact_key_is_unfinished_with_its_full_key_and_digest(begin: Begin) -> None:
    request = Request(Location("s", "b", "x/a.zip"), Location("d", "b", "y/other.zip"))
    source = Object("x/a.zip", 10, "e1", MOMENT)
    digest = Object("x/a.zip.CHECKSUM", 99, "e2", MOMENT)
    unit = Unit((Item("a.zip", Action.COPY, source),), digest)
    recorder = begin(request)
    recorder.planned(batch(unit))
    assert list(recorder.unfinished()) == [unit]


_KEYS = st.text(min_size=0, max_size=8)
_MOMENTS = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-7))]))
_REVISIONS = st.tuples(st.integers(0, 2**62), st.text("abcdef0123456789-", max_size=9), _MOMENTS)


@st.composite
def _units(draw: st.DrawFn, key: str) -> Unit:
    nameless = key.rpartition("/")[2] == ""  # a folder's marker has no sidecar
    if nameless or draw(st.booleans()):
        action = draw(st.sampled_from(Action))
        source = Object(REQUEST.source.key(key), *draw(_REVISIONS)) if draw(st.booleans()) else None
        return Unit((Item(key, action, source, draw(st.none() | st.just("x"))),))
    digest = Object(REQUEST.source.key(sidecar_of(key)), *draw(_REVISIONS))
    archive = Item(key, Action.COPY, Object(REQUEST.source.key(key), *draw(_REVISIONS)))
    sidecar = Item(sidecar_of(key), Action.COPY, digest)
    return Unit((archive, sidecar) if draw(st.booleans()) else (archive,), digest)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None
)
@given(data=st.data())
def test_any_plan_comes_back_from_the_ledger_as_it_was(
    data: st.DataObject, sqlite: Engine, clock: Clock
) -> None:
    keys = data.draw(st.lists(_KEYS, unique=True, max_size=6))
    units = [data.draw(_units(key)) for key in keys]
    ledger = Ledger(sqlite, clock)
    recorder = recorder_of(REQUEST, Lease.acquire(sqlite, ledger.create(REQUEST), clock))
    recorder.planned(Batch(units, Counters(), ""))
    expected = sorted(units, key=lambda unit: unit.items[0].key.encode())
    assert list(recorder.unfinished()) == expected


# --- what became of it ---------------------------------------------------------------------------


def test_the_summary_counts_what_settled(begin: Begin, ledger: Ledger) -> None:
    recorder = begin()
    extra = Unit((Item("e", Action.DELETE, None, "x"),))
    recorder.planned(batch(single("a"), single("b"), pair("c.zip"), single("d"), extra))
    settle(
        recorder,
        done("a"),
        failed("b", "bytes \0 and \ud800"),
        quarantined("c.zip"),
        quarantined("c.zip.CHECKSUM"),
        Outcome("e", ObjectState.DELETED),
    )
    summary = ledger.summary(id_of(recorder))
    assert (summary.copied, summary.failed, summary.quarantined) == (1, 1, 2)
    assert (summary.deleted, summary.pending, summary.bytes) == (1, 1, 10)
    assert summary.lanes == {"whole": 1}
    assert summary.proofs == {"publisher-sha256": 1}
    live = recorder.live
    assert (live.done, live.failed, live.quarantined, live.deleted) == (1, 1, 2, 1)
    assert live.bytes == 10


def test_failures_are_told_in_key_order(
    begin: Begin, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lakebed.operations.ledger.PAGE", 2)
    recorder = begin()
    recorder.planned(batch(*map(single, ["", "a", "b", "c", "d"])))
    settle(recorder, failed("d"), done("a"), quarantined("c"), failed("", "x\0"), failed("b"))
    broke = ("store-fault", "it broke")
    assert list(ledger.failures(id_of(recorder))) == [
        Failure("", ObjectState.FAILED, "store-fault", "x\\x00"),
        Failure("b", ObjectState.FAILED, *broke),
        Failure("c", ObjectState.QUARANTINED, "digest-refused", "another digest"),
        Failure("d", ObjectState.FAILED, *broke),
    ]


def test_a_moved_object_counts_as_copied_and_as_deleted(begin: Begin, ledger: Ledger) -> None:
    recorder = begin()
    recorder.planned(batch(single("a"), single("b")))
    with recorder:
        recorder.settled([done("a"), done("b")])
        for arrived in recorder.arrived():
            recorder.settled([replace(arrived, state=ObjectState.DELETED)])
        assert list(recorder.arrived()) == []
    summary = ledger.summary(id_of(recorder))
    assert (summary.copied, summary.deleted, summary.bytes) == (2, 2, 20)
    assert summary.proofs == {"publisher-sha256": 2}
    assert set(recorder.copies(["a", "b"])) == {"a", "b"}


def test_what_arrived_is_told_in_key_order_as_it_settled(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "PAGE", 2)
    recorder = begin()
    extra = Unit((Item("d", Action.DELETE, None, "x"),))
    recorder.planned(batch(*map(single, ["", "a", "b", "c", "e"]), extra))
    bare = replace(done("e"), lane=None, proof=None, sha256=None, attempts=2, seconds=0.5)
    with recorder:
        recorder.settled([bare, failed("b"), done("c"), Outcome("d", ObjectState.DELETED)])
        recorder.settled([done(""), done("a")])
        assert list(recorder.arrived()) == [done(""), done("a"), done("c"), bare]


def test_what_was_counted_is_added_up_over_all_runs(begin: Begin, clock: Clock) -> None:
    recorder = begin()
    recorder.planned(batch(single("a"), counters=Counters(listed=3, extra=1)))
    with later_run(recorder, clock) as later:
        later.planned(batch(single("b"), counters=Counters(listed=4, planned_bytes=2**40)))
        assert later.counted() == Counters(listed=7, extra=1, planned_bytes=2**40)


@pytest.mark.parametrize(
    "outcome", [failed("a"), quarantined("a"), Outcome("a", ObjectState.PENDING)]
)
def test_a_done_object_never_goes_back(begin: Begin, ledger: Ledger, outcome: Outcome) -> None:
    recorder = begin()
    recorder.planned(batch(single("a")))
    settle(recorder, done("a"))
    with recorder_of(REQUEST, recorder._lease) as again:
        again.settled([outcome])
    with recorder_of(REQUEST, recorder._lease) as again:
        again.settled([done("a"), outcome])
    summary = ledger.summary(id_of(recorder))
    assert (summary.copied, summary.failed, summary.quarantined, summary.pending) == (1, 0, 0, 0)
    assert list(recorder.arrived()) == [done("a")]


def test_an_object_that_failed_may_be_done_later(begin: Begin, ledger: Ledger) -> None:
    recorder = begin()
    recorder.planned(batch(single("a"), single("b"), single("c")))
    settle(recorder, failed("a"), quarantined("b"), done("c"))
    assert recorder.retry_failed() == 2
    assert list(recorder.unfinished()) == [single("a"), single("b")]
    assert list(ledger.failures(id_of(recorder))) == []
    with recorder_of(REQUEST, recorder._lease) as again:
        again.settled([done("a")])
        again.settled([failed("b")])
    summary = ledger.summary(id_of(recorder))
    assert (summary.copied, summary.failed) == (2, 1)


def test_of_two_ends_of_one_key_in_one_group_done_wins(begin: Begin, ledger: Ledger) -> None:
    recorder = begin()
    recorder.planned(batch(single("a"), single("b")))
    with recorder:
        recorder.settled([failed("a"), done("a"), done("b"), failed("b")])
    assert ledger.summary(id_of(recorder)).copied == 2


def test_a_process_that_lost_its_lease_writes_nothing_and_is_stopped(
    begin: Begin, clock: Clock, ledger: Ledger
) -> None:
    cancellation = Cancellation()
    recorder = begin(cancellation=cancellation)
    recorder.planned(batch(single("a")))
    with later_run(recorder, clock):
        with pytest.raises(LeaseLost), recorder:
            recorder.settled([done("a")])
        assert isinstance(cancellation.reason, LeaseLost)
        assert cancellation.stopped
    assert ledger.summary(id_of(recorder)).pending == 1
    assert not recorder.copies(["a"])


def test_a_failing_write_stops_the_operation_and_leaves_nothing_half_written(
    begin: Begin, engine: Engine, ledger: Ledger
) -> None:
    cancellation = Cancellation()
    recorder = begin(cancellation=cancellation)
    recorder.planned(batch(single("a")))
    with writing(engine) as connection:
        connection.execute(text("ALTER TABLE copies RENAME TO away"))
    with pytest.raises(LedgerError, match="cannot be written"), recorder:
        recorder.settled([done("a")])
    assert isinstance(cancellation.reason, LedgerError)
    assert ledger.summary(id_of(recorder)).pending == 1


# --- what is remembered --------------------------------------------------------------------------


def keys_beside(key: str) -> Sequence[str]:
    """More keys than are asked for at once, `key` at the end."""
    return [*(f"none-{number}" for number in range(700)), key]


def test_a_proved_copy_is_remembered_for_every_later_operation(begin: Begin) -> None:
    first = begin()
    first.planned(batch(single("a")))
    settle(first, done("a"))
    copied = Copied("e1", "w1", 10, Proof.PUBLISHER_SHA256, DIGEST)
    assert begin().copies(keys_beside("a")) == {"a": copied}
    again = begin()
    settle(again, replace(done("a"), destination_etag="w2", sha256=None, proof=Proof.ETAG_MD5))
    assert begin().copies(["a"]) == {"a": Copied("e1", "w2", 10, Proof.ETAG_MD5, None)}


def test_a_copy_is_remembered_by_its_full_key_at_the_destination(begin: Begin) -> None:
    settle(begin(), done("a"))
    wider = replace(REQUEST, destination=Location.parse("lake:raw/"))
    assert set(begin(wider).copies(["a", "spot/a"])) == {"spot/a"}
    elsewhere = replace(REQUEST, destination=Location.parse("lake:other/spot/"))
    assert begin(elsewhere).copies(["a"]) == {}


def test_what_was_brought_is_known_to_whom_it_is_the_source(begin: Begin) -> None:
    settle(begin(), done("a"))
    onward = replace(REQUEST, source=REQUEST.destination, destination=Location.parse("lake:b/"))
    copied = Copied("e1", "w1", 10, Proof.PUBLISHER_SHA256, DIGEST)
    assert begin(onward).brought(keys_beside("a")) == {"a": copied}
    assert begin(onward).copies(["a"]) == {}
    assert begin().brought(["a"]) == {}


def test_a_copy_that_is_deleted_is_forgotten(begin: Begin) -> None:
    settle(begin(), done("a"))
    settle(begin(), Outcome("a", ObjectState.DELETED))
    assert begin().copies(["a"]) == {}


def test_a_verification_copies_nothing_and_remembers_nothing(begin: Begin, ledger: Ledger) -> None:
    recorder = begin(replace(REQUEST, kind=Kind.VERIFY))
    recorder.planned(batch(Unit((Item("a", Action.VERIFY, listed("a")),)), pair("b.zip")))
    settle(recorder, done("a"), quarantined("b.zip"))
    assert recorder.copies(["a"]) == {}
    assert recorder.quarantines(["b.zip"]) == {}
    summary = ledger.summary(id_of(recorder))
    assert (summary.copied, summary.bytes) == (0, 0)
    assert summary.proofs == {"publisher-sha256": 1}


def test_a_quarantine_is_remembered_under_its_archive_with_both_etags(begin: Begin) -> None:
    evidence = json.dumps({"expected": DIGEST, "found": "0" * 64, "sidecar": {"etag": "e2"}})
    recorder = begin()
    recorder.planned(batch(pair("a.zip")))
    with recorder:
        recorder.settled([quarantined("a.zip", evidence), quarantined("a.zip.CHECKSUM")])
    expected = Quarantine("e1", "e2", evidence)
    asked = [*keys_beside("a.zip"), "a.zip.CHECKSUM"]
    assert begin().quarantines(asked) == {"a.zip": expected}
    elsewhere = replace(REQUEST, source=Location.parse("other:data/spot/"))
    assert begin(elsewhere).quarantines(asked) == {}


def test_a_quarantine_ends_when_the_pair_is_copied(begin: Begin) -> None:
    recorder = begin()
    recorder.planned(batch(pair("a.zip")))
    settle(recorder, quarantined("a.zip", "{}"))
    assert recorder.quarantines(["a.zip"])
    settle(begin(), done("a.zip"))
    assert recorder.quarantines(["a.zip"]) == {}


def test_a_resumed_operation_goes_on_where_the_killed_one_stopped(
    begin: Begin, clock: Clock, ledger: Ledger
) -> None:
    recorder = begin()
    recorder.planned(batch(single("a"), single("b"), counters=Counters(listed=2)))
    settle(recorder, done("a"))
    with later_run(recorder, clock) as later:
        assert later.cursor() == "b"
        assert list(later.unfinished()) == [single("b")]
        later.planned(batch(single("c"), counters=Counters(listed=1)))
        later.settled([done("b")])
        later.settled([done("c")])
    summary = ledger.summary(id_of(recorder))
    assert (summary.listed, summary.copied, summary.pending) == (3, 3, 0)
    assert summary.state is OperationState.RUNNING
