"""What a request says of how an operation is done."""

from typing import cast

import pytest

from tests.e2e.buckets import Bucket, pairs
from tests.executor.replica import Json, Replica


def test_parts_that_the_memory_cannot_hold_are_refused_with_what_to_change(
    executor: Replica,
) -> None:
    body = {"source": "here:a/", "destination": "there:b/"}
    configuration = {"part_size_mb": 40, "memory_mb": 64}
    answer = executor.client.post("/api/v1/sync", json={**body, "configuration": configuration})
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["retryable"]) == (422, "usage", False)
    assert "two parts of 40.0 MiB do not fit into a memory of 64.0 MiB" in problem["detail"]
    assert "give it 80.0 MiB" in problem["detail"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"source": "here:a/"}, "destination"),
        ({"source": "here:a/", "destination": "there:b/", "sorce": 1}, "sorce"),
        (
            {
                "source": "here:a/",
                "destination": "there:b/",
                "configuration": {"max_concurrent": 257},
            },
            "configuration.max_concurrent",
        ),
        (
            {
                "source": "here:a/",
                "destination": "there:b/",
                "configuration": {"part_size_mb": 4},
            },
            "configuration.part_size_mb",
        ),
    ],
)
def test_a_field_that_is_wrong_is_named(executor: Replica, body: Json, field: str) -> None:
    answer = executor.client.post("/api/v1/sync", json=body)
    problem = answer.json()
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [one["field"] for one in problem["errors"]] == [field]
    assert len(problem["trace_id"]) == 32


@pytest.mark.parametrize(
    "body",
    [
        {"source": "/etc/", "destination": "there:b/"},
        {"source": "here:a/", "destination": "file:///tmp/"},
        {"source": {"store": "file", "bucket": "/etc"}, "destination": "there:b/"},
    ],
)
def test_the_disks_of_its_machine_are_not_offered(executor: Replica, body: Json) -> None:
    answer = executor.client.post("/api/v1/sync", json=body)
    assert answer.status_code == 422
    assert answer.json()["code"] in ("usage", "unknown-store")


def test_an_operation_keeps_to_its_own_bandwidth(
    executor: Replica, source: Bucket, destination: Bucket
) -> None:
    source.put("large.bin", bytes(3 * 1024 * 1024))
    ends = (f"here:{source.name}/", f"there:{destination.name}/")
    operation = executor.sync(*ends, configuration={"bandwidth": "1M"})
    told = executor.ended(operation)
    assert told["state"] == "completed"
    assert cast(float, told["seconds"]) > 2.5, "three MiB at one a second"


def test_moving_deletes_at_the_source_what_is_proved_at_the_destination(
    executor: Replica, source: Bucket, destination: Bucket
) -> None:
    content = pairs(10)
    source.fill(content)
    ends = (f"here:{source.name}/", f"there:{destination.name}/")
    told = executor.ended(executor.sync(*ends, configuration={"delete_source_after_sync": True}))
    assert (told["state"], told["files_deleted"]) == ("completed", 20)
    assert (source.keys(), destination.content()) == ([], content)


def test_filters_say_which_objects_are_meant(
    executor: Replica, source: Bucket, destination: Bucket
) -> None:
    source.fill({f"{letter}.txt": letter.encode() * 10 for letter in "abcd"})
    ends = (f"here:{source.name}/", f"there:{destination.name}/")
    filters = {"patterns": [{"include": "*.txt"}, {"exclude": "b*"}], "max_size": "1KiB"}
    assert executor.ended(executor.sync(*ends, filters=filters))["state"] == "completed"
    assert destination.keys() == ["a.txt", "c.txt", "d.txt"]
    only = executor.ended(executor.sync(*ends, filters={"keys": ["b.txt"]}))
    assert (only["files_listed"], only["files_done"]) == (1, 1)
    assert destination.keys() == ["a.txt", "b.txt", "c.txt", "d.txt"]
