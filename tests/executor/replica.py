"""A replica of the executor: the real command, asked over HTTP."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx2

from tests.e2e.process import PATIENCE, Lakebed, Running

Json = dict[str, object]
OVER = ("completed", "partial", "quarantined", "failed", "cancelled", "interrupted")


@dataclass
class Replica:
    """It answers at `url`. `client` has no credentials but those that a test gives it."""

    url: str
    process: Running
    client: httpx2.Client
    serving: Json = field(default_factory=dict)

    def get(self, path: str, **params: str | int) -> Json:
        answer = self.client.get(path, params=params)
        assert answer.is_success, answer.text
        found: Json = answer.json()
        return found

    def post(self, path: str, body: Json | None = None, **headers: str) -> Json:
        answer = self.client.post(path, json=body, headers=headers)
        assert answer.is_success, answer.text
        found: Json = answer.json()
        return found

    def sync(self, source: str, destination: str, **more: object) -> str:
        """Ask for a sync; its id."""
        body: Json = {"source": source, "destination": destination, **more}
        return str(self.post("/api/v1/sync", body)["operation_id"])

    def events(self, operation_id: str, after: int = 0) -> Iterator[tuple[int, str, object]]:
        """Number, kind and data of each server-sent event, until the stream ends."""
        headers = {"Last-Event-ID": str(after)} if after else {}
        path = f"/api/v1/operations/{operation_id}/events"
        with self.client.stream("GET", path, headers=headers, timeout=PATIENCE) as answer:
            assert answer.status_code == 200, answer.read()
            fields: dict[str, str] = {}
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                if name:
                    fields[name] = value
                elif fields:
                    yield int(fields["id"]), fields["event"], json.loads(fields["data"])
                    fields = {}

    def ended(self, operation_id: str) -> Json:
        """Wait for the end of an operation; its status then."""
        give_up = time.monotonic() + PATIENCE
        for _number, kind, _data in self.events(operation_id):
            assert time.monotonic() < give_up, "it does not end"
            if kind == "summary":
                break
        return self.get(f"/api/v1/operations/{operation_id}")


@contextmanager
def replica(lakebed: Lakebed, *options: str) -> Iterator[Replica]:
    """Serve while the scope lasts, with the configuration of `lakebed`, at a free port."""
    arguments = ("executor", "serve", "--port", "0", "--json", *(options or ("--auth", "none")))
    with lakebed.started(*arguments) as running:
        serving = running.until("serving")
        url = str(serving["url"])
        with httpx2.Client(base_url=url, timeout=30.0, trust_env=False) as client:
            yield Replica(url, running, client, serving)
