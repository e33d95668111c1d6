"""Asking for operations, watching and ending them, over HTTP."""

from signal import SIGTERM

from tests.e2e.buckets import Bucket, pairs
from tests.e2e.process import Lakebed
from tests.executor.replica import Json, Replica, replica


def test_a_sync_that_is_asked_for_ends_with_every_object_proved(
    executor: Replica, source: Bucket, destination: Bucket
) -> None:
    content = pairs(40)
    source.fill(content)
    operation = executor.sync(f"here:{source.name}/", f"there:{destination.name}/")
    told = executor.ended(operation)
    assert (told["state"], told["percentage"], told["files_done"]) == ("completed", 100.0, 80)
    assert told["proofs"] == {"publisher-sha256": 40, "etag-md5": 40}
    assert destination.content() == content


def test_the_same_idempotency_key_finds_the_first_operation(
    executor: Replica, source: Bucket, destination: Bucket
) -> None:
    body: Json = {"source": f"here:{source.name}/", "destination": f"there:{destination.name}/"}
    first = executor.post("/api/v1/sync", body, **{"Idempotency-Key": "once"})
    second = executor.post("/api/v1/sync", body, **{"Idempotency-Key": "once"})
    assert (second["operation_id"], second["repeated"]) == (first["operation_id"], True)
    other = executor.client.post(
        "/api/v1/sync", json={**body, "priority": -1}, headers={"Idempotency-Key": "once"}
    )
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")


def test_an_operation_outlives_the_replica_that_took_it_up(
    team: Lakebed, source: Bucket, destination: Bucket
) -> None:
    content = pairs(300)
    source.fill(content)
    slow = {"configuration": {"max_concurrent": 1}}
    team = team.but(LAKEBED_EXECUTOR__DRAIN="0.1")
    with replica(team) as first:
        operation = first.sync(f"here:{source.name}/", f"there:{destination.name}/", **slow)
        with replica(team) as second:
            first.process.signal(SIGTERM)
            assert first.process.end().code == 0
            assert second.ended(operation)["state"] == "completed"
    assert destination.content() == content
