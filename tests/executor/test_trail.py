"""End to end: what replicas leave behind in the audit log, and that receivers hear of every end."""

import json
import threading
from http.server import BaseHTTPRequestHandler
from signal import SIGKILL, SIGTERM

from tests.e2e.buckets import Bucket, pairs
from tests.e2e.process import Lakebed
from tests.executor.receiver import receiving, status
from tests.executor.replica import Json, replica


def test_an_end_is_told_though_the_replica_that_was_asked_is_killed(
    lakebed: Lakebed, source: Bucket, destination: Bucket
) -> None:
    source.fill(pairs(5))
    heard = threading.Event()

    def hear(request: BaseHTTPRequestHandler) -> None:
        status(204)(request)
        heard.set()

    lakebed = lakebed.but(LAKEBED_WEBHOOKS__ALLOW="127.0.0.0/8", LAKEBED_WEBHOOKS__HTTP="true")
    with receiving() as receiver, replica(lakebed) as second:
        receiver.answers.append(hear)
        with replica(lakebed) as first:
            body: Json = {"notification": {"webhook_url": receiver.url}}
            operation = first.sync(f"here:{source.name}/", f"there:{destination.name}/", **body)
            first.process.signal(SIGKILL)
        assert second.ended(operation)["state"] == "completed"
        assert heard.wait(60)
        ((_, told),) = receiver.got
        assert json.loads(told)["data"]["operation_id"] == operation
        second.process.signal(SIGTERM)
        assert second.process.end().code == 0
    whole = lakebed("audit", "verify", "--json")
    assert (whole.code, whole.events[0]["wrong"]) == (0, None)
    assert whole.events[0]["heads"] != 0
    actions = [event["action"] for event in lakebed("audit", "list", "--json").events]
    assert actions == ["audit begins", "asked POST /api/v1/sync", "did POST /api/v1/sync"]


def test_a_replica_with_another_key_does_not_serve(lakebed: Lakebed) -> None:
    with replica(lakebed):
        other = lakebed.but(MASTER="m" * 32, LAKEBED_AUDIT__KEY="env:MASTER")
        ended = other("executor", "serve", "--port", "0", "--auth", "none")
    assert ended.code == 2
    assert "audit.key: the audit log of this database was begun with another key" in ended.complaint
