"""What enters the audit log of an executor, and what is not done where it cannot."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from lakebed.access.caller import LOCAL, Caller, Grant
from lakebed.access.permission import Role
from lakebed.audit.entry import Entry, Fact
from lakebed.audit.heads import exported, heads_of
from lakebed.audit.log import entries
from lakebed.audit.verify import verify
from lakebed.database.tables import operations
from lakebed.errors import LedgerError, Unauthenticated
from lakebed.executor import auditor, callers
from lakebed.executor.auditor import MOST_ORIGINS, OTHERS, Refusals
from lakebed.executor.service import Service
from lakebed.settings.master import key_for
from tests.executor.inside import SYNC, inside, settings_in

Inside = tuple[TestClient, Service]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Inside]:
    with inside(settings_in(tmp_path)) as opened:
        yield opened


def told(service: Service) -> list[Entry]:
    return list(entries(service.queue.engine))[1:]


def actions(service: Service) -> list[str]:
    return [entry.fact.action for entry in told(service)]


def test_a_write_is_entered_before_it_is_done_and_with_its_outcome(served: Inside) -> None:
    client, service = served
    trace = "0af7651916cd43dd8448eb211c80319c"
    answer = client.post(
        "/api/v1/sync?token=SECRET",
        json=SYNC,
        headers={
            "Authorization": "Bearer SECRET",
            "traceparent": f"00-{trace}-b7ad6b7169203331-01",
        },
    )
    asked, did = told(service)
    assert (asked.fact.action, did.fact.action) == (
        "asked POST /api/v1/sync",
        "did POST /api/v1/sync",
    )
    assert (did.fact.actor, did.fact.subject) == ("local", answer.json()["operation_id"])
    detail = json.loads(did.fact.detail)
    assert detail == {"status": 202, "asked": 2, "address": "testclient", "trace": trace}
    assert "SECRET" not in repr((asked, did))


def test_what_only_reads_is_not_entered(served: Inside) -> None:
    client, service = served
    client.get("/api/v1/operations")
    client.get("/api/v1/operations/nothing")
    client.get("/nowhere")
    assert told(service) == []


def test_a_write_that_is_refused_is_entered_with_its_subject(served: Inside) -> None:
    client, service = served
    assert client.post("/api/v1/operations/NOSUCH/cancel").status_code == 404
    assert client.post("/api/v1/sync", json={}).status_code == 422
    assert client.delete("/nowhere").status_code == 404
    assert actions(service) == [
        "asked POST /api/v1/operations/{operation_id}/cancel",
        "refused POST /api/v1/operations/{operation_id}/cancel",
        "asked POST /api/v1/sync",
        "refused POST /api/v1/sync",
        "refused DELETE (no route)",
    ]
    assert told(service)[1].fact.subject == "NOSUCH"


def test_whoever_may_not_read_is_entered_too(
    served: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, service = served
    stranger = Caller("key:7", "stranger", frozenset[Role](), (Grant("lake:"),))
    monkeypatch.setattr(callers, "LOCAL", stranger)
    assert client.get("/api/v1/operations").status_code == 403
    (refused,) = told(service)
    assert (refused.fact.actor, refused.fact.action) == ("key:7", "refused GET /api/v1/operations")


def test_a_flood_of_refusals_is_counted_and_not_entered_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_connection: object) -> None:
        raise Unauthenticated("no token")

    monkeypatch.setattr(callers, "asked", refuse)
    monkeypatch.setattr(callers, "LOCAL", None)
    with inside(settings_in(tmp_path, audit={"refusals": 3})) as (client, service):
        for _ in range(10):
            assert client.post("/api/v1/sync", json=SYNC).status_code == 401
        assert actions(service) == ["refused POST /api/v1/sync"] * 3
        assert told(service)[0].fact.actor == "nobody"
        service.audit.settle()
        (more,) = told(service)[3:]
    assert (more.fact.action, more.fact.subject) == ("refused more", "testclient")
    assert json.loads(more.fact.detail) == {"statuses": {"401": 7}}


def test_origins_without_number_share_one_bound() -> None:
    refusals = Refusals()
    for number in range(MOST_ORIGINS):
        assert refusals.admits(f"address {number}", 401, most=1)
    assert refusals.admits("one more", 401, most=1)
    assert not refusals.admits("and another", 403, most=1)
    assert [fact.subject for fact in refusals.close()] == [OTHERS]
    assert refusals.admits("address 0", 401, most=1), "a new window"


def test_nothing_is_done_where_it_cannot_be_entered(
    served: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, service = served

    def fail(*_facts: Fact) -> int:
        raise LedgerError("the disk is full")

    monkeypatch.setattr(service.audit, "enter", fail)
    answer = client.post("/api/v1/sync", json=SYNC)
    assert (answer.status_code, answer.json()["code"]) == (503, "ledger")
    with service.queue.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(operations)) == 0


def test_a_write_whose_outcome_cannot_be_entered_is_not_acknowledged(
    served: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, service = served
    enter = service.audit.enter

    def fail_after_the_first(*facts: Fact) -> int:
        if facts[0].action.startswith("asked"):
            return enter(*facts)
        raise LedgerError("the disk is full")

    monkeypatch.setattr(service.audit, "enter", fail_after_the_first)
    answer = client.post("/api/v1/sync", json=SYNC, headers={"Idempotency-Key": "once"})
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert client.post("/api/v1/operations/NOSUCH/cancel").status_code == 404
    monkeypatch.setattr(service.audit, "enter", enter)
    again = client.post("/api/v1/sync", json=SYNC, headers={"Idempotency-Key": "once"})
    assert (again.status_code, again.json()["repeated"]) == (202, True)


def test_a_defect_is_entered_as_a_failure(served: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    client, service = served

    def fail(*_: object) -> None:
        raise RuntimeError("SECRET")

    monkeypatch.setattr(service.queue, "enqueue", fail)
    answer = client.post("/api/v1/sync", json=SYNC)
    assert (answer.status_code, answer.json()["code"]) == (500, "defect")
    assert "SECRET" not in answer.text
    assert actions(service) == ["asked POST /api/v1/sync", "failed POST /api/v1/sync"]


def test_the_head_is_exported_at_the_end_and_each_so_many_entries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auditor, "EACH", 2)
    settings = settings_in(tmp_path)
    with inside(settings) as (client, service):
        client.post("/api/v1/sync", json=SYNC)
        client.post("/api/v1/operations/NOSUCH/cancel")
    heads = list(exported(heads_of(settings)))
    assert (heads[-1].number, len(heads) >= 2) == (5, True)
    with inside(settings) as (_, service):
        log = list(entries(service.queue.engine))
        assert verify(key_for("audit", settings, {}), log, heads).wrong == ""
        assert verify(key_for("audit", settings, {}), log[:-1], heads).number == 5
    assert list(exported(heads_of(settings))) == heads + heads[-1:]


def test_an_export_that_fails_stops_nothing(tmp_path: Path) -> None:
    with inside(settings_in(tmp_path, audit={"head": tmp_path})) as (client, _):
        assert client.post("/api/v1/sync", json=SYNC).status_code == 202


@pytest.mark.parametrize(
    ("host", "shown"),
    [("192.0.2.7", "192.0.2.7"), ("2001:db8::1:2", "2001:db8::/64"), ("::1", "::1")],
)
def test_an_address_of_ipv6_is_its_network(tmp_path: Path, host: str, shown: str) -> None:
    with inside(settings_in(tmp_path)) as (client, service):
        elsewhere = TestClient(client.app, client=(host, 1))
        elsewhere.post("/api/v1/sync", json=SYNC)
        assert json.loads(told(service)[0].fact.detail)["address"] == shown
    assert LOCAL.id == told(service)[0].fact.actor
