"""How a replica says how it and what it needs are."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import create_server
from threading import Event, Thread

import pytest
from pydantic import SecretStr

from lakebed.access.caller import Grant
from lakebed.access.permission import Role
from lakebed.api.infrastructure import Component, Health
from lakebed.executor import components as looked_at
from lakebed.executor.components import overall
from lakebed.executor.remembered import Remembered
from lakebed.operations.replicas import Replica, beat
from lakebed.settings import Settings, StoreSettings
from lakebed.settings.access import AccessSettings
from tests.database import postgresql
from tests.executor.inprocess import Inside, caller, inside, settings_in

STATUS = "/api/v1/infrastructure/status"
COMPONENT = "/api/v1/infrastructure/components/"


def closed_port() -> str:
    with closing(create_server(("127.0.0.1", 0))) as listening:
        return f"http://127.0.0.1:{listening.getsockname()[1]}"


def a_store(name: str, endpoint: str) -> StoreSettings:
    return StoreSettings(
        name=name, endpoint=endpoint, access_key=SecretStr("k"), secret_key=SecretStr("hush-hush")
    )


@contextmanager
def answering(status: int, body: bytes, until: Event | None = None) -> Iterator[str]:
    """A store that says the same to whatever it is asked, once it may."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if until is not None:
                until.wait()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = False
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            if until is not None:
                until.set()
            server.shutdown()
            thread.join()


LISTING = b"<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>"
DENIED = b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"


def forget(replica: Inside) -> None:
    """The next look is a new one."""
    replica.service.looks = Remembered(0.0)


def parts(replica: Inside) -> dict[str, str]:
    found = replica.client.get(STATUS).json()
    return {"": found["status"], **{one["name"]: one["status"] for one in found["components"]}}


def test_a_store_that_is_down_degrades_the_service_and_takes_no_replica_out(
    tmp_path: Path,
) -> None:
    with answering(200, LISTING) as up, answering(403, DENIED) as closed:
        settings = settings_in(
            tmp_path,
            up=a_store("up", up),
            closed=a_store("closed", closed),
            down=a_store("down", closed_port()),
        )
        with inside(settings) as replica:
            found = parts(replica)
            assert (found[""], found["store:down"]) == ("degraded", "unhealthy")
            assert found["store:up"] == found["store:closed"] == found["database"] == "healthy"
            assert "store:aws" not in found
            down = replica.client.get(f"{COMPONENT}store:down").json()
            assert "Failed to connect" in down["detail"]
            assert "hush" not in down["detail"]
            ready = replica.client.get("/ready")
            assert (ready.status_code, ready.json()["status"]) == (200, "healthy")


def test_a_store_that_never_answers_keeps_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looked_at, "DEADLINE", 0.2)
    with answering(200, LISTING, Event()) as silent:
        settings = settings_in(tmp_path, silent=a_store("silent", silent))
        with inside(settings) as replica:
            found = replica.client.get(f"{COMPONENT}store:silent").json()
            assert found["status"] == "unhealthy"
            assert "no answer within 0.2 s" in found["detail"]


def test_a_component_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with inside(settings_in(tmp_path)) as replica:
        answer = replica.client.get(f"{COMPONENT}teapot")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown-component")


def test_stores_that_no_grant_touches_are_counted_and_not_shown(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, down=a_store("down", closed_port()))
    with inside(settings) as replica:
        replica.become(caller(Role.READONLY_USER, Grant("lake:")))
        assert parts(replica)[""] == "degraded"
        assert "store:down" not in parts(replica)
        assert replica.client.get(f"{COMPONENT}store:down").status_code == 404


def test_each_replica_that_was_heard_of_is_a_component(tmp_path: Path) -> None:
    with inside(settings_in(tmp_path)) as replica:
        engine = replica.service.queue.engine
        now = replica.service.queue.now()
        beat(engine, Replica("other", "http://10.0.0.2:8080", "0.1.0", now - 60, now, 3))
        beat(engine, Replica("gone", "http://10.0.0.3:8080", "0.1.0", now - 60, now - 20, 1))
        found = {one["name"]: one for one in replica.client.get(STATUS).json()["components"]}
        assert found["replica:other"]["detail"] == "3 operations run at http://10.0.0.2:8080"
        assert found["replica:other"]["uptime_seconds"] >= 60
        assert f"replica:{replica.service.replica.id}" in found
        assert "replica:gone" not in found


def test_a_ledger_whose_file_is_gone_or_another_one_is_no_ledger(tmp_path: Path) -> None:
    with inside(settings_in(tmp_path)) as replica:
        assert replica.client.get("/ready").status_code == 200
        file = tmp_path / "ledger.sqlite"
        file.rename(tmp_path / "away")
        forget(replica)
        answer = replica.client.get("/ready")
        assert (answer.status_code, answer.json()["database"]) == (503, "unhealthy")
        file.touch()  # as a new connection does
        forget(replica)
        assert replica.client.get("/ready").status_code == 503


def test_a_ledger_of_another_schema_is_not_served(tmp_path: Path) -> None:
    with inside(settings_in(tmp_path)) as replica:
        with replica.service.queue.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        assert replica.client.get("/ready").status_code == 503
        assert "schema 9999" in replica.client.get(f"{COMPONENT}database").json()["detail"]


def test_a_database_that_is_down_takes_the_replica_out_until_it_is_back() -> None:
    if reason := postgresql.why_not():
        pytest.skip(reason)
    with postgresql.serve() as server:
        ledger = SecretStr(server.url(server.new_database()))
        settings = Settings(ledger=ledger, stores={}, access=AccessSettings(mode="none"))
        with inside(settings) as replica:
            database = replica.client.get(f"{COMPONENT}database").json()
            assert database["version"].startswith("PostgreSQL ")
            assert database["uptime_seconds"] > 0
            server.stop()
            forget(replica)
            assert replica.client.get("/ready").status_code == 503
            found = parts(replica)
            assert (found[""], found["database"], found["queue"]) == ("unhealthy",) * 3
            assert replica.client.get("/health").status_code == 200
            assert "lakebed_database_up 0.0" in replica.client.get("/metrics").text
            assert "lakebed_queue_waiting NaN" in replica.client.get("/metrics").text
            server.start()
            forget(replica)
            assert replica.client.get("/ready").status_code == 200
            assert parts(replica)[""] == "healthy"


def test_a_replica_that_is_about_to_stop_takes_no_more_requests(tmp_path: Path) -> None:
    with inside(settings_in(tmp_path)) as replica:
        replica.service.draining = True
        answer = replica.client.get("/ready")
        assert (answer.status_code, answer.json()["database"]) == (503, "healthy")


@pytest.mark.parametrize(
    ("binary", "status", "detail"),
    [
        (None, "healthy", "not installed"),
        ("/bin/false", "unhealthy", "cannot be run"),
        ("/nowhere/s5cmd", "unhealthy", "cannot be run"),
        ("/bin/echo", "healthy", "installed"),
    ],
)
def test_s5cmd_is_asked_whether_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, binary: str | None, status: str, detail: str
) -> None:
    monkeypatch.setattr("lakebed.store.s3.s5cmd.find", lambda: binary)
    monkeypatch.setattr(looked_at, "_s5cmd_version", looked_at._s5cmd_version.__wrapped__)
    with inside(settings_in(tmp_path)) as replica:
        found = replica.client.get(f"{COMPONENT}s5cmd").json()
    assert found["status"] == status
    assert detail in found["detail"]


@pytest.mark.parametrize(
    ("database", "store", "together"),
    [
        (Health.HEALTHY, Health.HEALTHY, Health.HEALTHY),
        (Health.HEALTHY, Health.UNHEALTHY, Health.DEGRADED),
        (Health.HEALTHY, Health.DEGRADED, Health.DEGRADED),
        (Health.UNHEALTHY, Health.HEALTHY, Health.UNHEALTHY),
    ],
)
def test_the_database_decides(database: Health, store: Health, together: Health) -> None:
    found = [
        Component(name=name, status=status, detail="")
        for name, status in (("database", database), ("store:x", store))
    ]
    assert overall(found) is together
