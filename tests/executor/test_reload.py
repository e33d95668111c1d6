"""A configuration that changes under a service that runs."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGHUP, SIGTERM

import pytest

from lakebed.cli.commands.executor import Auth, with_auth
from lakebed.configurations.history import History
from lakebed.errors import ConfigurationError, LedgerError, UsageError
from lakebed.executor import reload
from lakebed.executor.reload import Reloader
from lakebed.executor.service import Service
from lakebed.settings import Settings
from lakebed.settings.layers import Sources
from tests.e2e.buckets import Bucket, pairs
from tests.e2e.process import PATIENCE, Lakebed
from tests.executor.replica import Json, Replica, replica

BASE = 'state = "state"\nlog = "info"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "lakebed.toml"
    path.write_text(BASE)
    return path


@contextmanager
def served(file: Path, **environ: str) -> Iterator[tuple[Service, Reloader]]:
    sources = Sources(file, environ, file.parent)
    service = Service.open(sources.read().settings())
    with service.platform:
        yield service, Reloader(service, sources)


def reloaded(file: Path, *texts: str, **environ: str) -> tuple[Service, Reloader]:
    """A service after its file held each of these texts."""

    async def change(service: Service, reloader: Reloader) -> None:
        for text in texts:
            file.write_text(text)
            await reloader.reload()

    with served(file, **environ) as (service, reloader):
        asyncio.run(change(service, reloader))
        return service, reloader


class Part:
    """A part of a service, and what it was given."""

    def __init__(self, refuses: str = "") -> None:
        self.refuses = refuses
        self.logs: list[str] = []

    def apply(self, settings: Settings) -> None:
        self.logs.append(settings.log)
        if settings.log == self.refuses:
            raise UsageError("not that one")


def test_what_changes_is_in_force_in_every_part(file: Path) -> None:
    service, reloader = reloaded(file, BASE + "[executor]\nrunning = 9\n[stores.lake]\n")
    for settings in (service.settings, service.platform.settings, service.crew.settings):
        assert (settings.executor.running, "lake" in settings.stores) == (9, True)
    assert reloader.refused is None
    assert reloader.in_force.version
    assert reloader.in_force.version.number == 2


@pytest.mark.parametrize("wrong", ["log = 3", "log = ", "lgo = 1", "ledger = 'env:NOWHERE'"])
def test_what_is_wrong_is_refused_and_the_old_one_stays(
    file: Path, wrong: str, caplog: pytest.LogCaptureFixture
) -> None:
    service, reloader = reloaded(file, wrong)
    assert service.settings.log == "info"
    assert reloader.in_force.version
    assert reloader.in_force.version.number == 1
    assert reloader.refused
    assert reloader.refused.findings
    assert "the configuration is refused, and the one before stays: " in caplog.text


@pytest.mark.parametrize("mode", ["none", "token"])
@pytest.mark.parametrize(
    "wrong", ["hosts = ['lake.example.com']", "public_url = 'https://lake.example.com'"]
)
def test_what_a_start_refuses_a_reload_refuses(file: Path, mode: str, wrong: str) -> None:
    file.write_text(BASE + f"[access]\nmode = '{mode}'\n")
    service, reloader = reloaded(file, f"{file.read_text()}[executor]\n{wrong}\nrunning = 9\n")
    assert service.settings.executor.running != 9
    assert reloader.refused
    told = str(reloader.refused.findings[0])
    assert told.startswith(f"lake.example.com: --auth {mode} is for this machine only")


def test_what_a_start_with_keys_takes_a_reload_takes(file: Path) -> None:
    file.write_text(BASE + "[access]\nmode = 'keys'\n")
    text = file.read_text() + "[executor]\nhosts = ['lake.example.com']\n"
    service, reloader = reloaded(file, text)
    assert reloader.refused is None
    assert service.settings.executor.hosts == ("lake.example.com",)


@pytest.mark.parametrize(
    ("table", "key", "value"),
    [
        ("audit", "head", "heads.jsonl"),
        ("audit", "key", "env:LAKEBED_AUDIT_KEY"),
        ("executor", "public_url", "http://localhost:8080"),
    ],
)
def test_what_is_read_at_start_only_takes_a_restart(
    file: Path, table: str, key: str, value: str
) -> None:
    _, reloader = reloaded(file, f"{BASE}[{table}]\n{key} = '{value}'\n")
    assert reloader.refused is None
    assert reloader.in_force.restart == (f"{table}.{key}",)


def test_a_mode_of_the_command_line_is_no_change_of_the_files(file: Path) -> None:
    sources = Sources(file, {}, file.parent)
    service = Service.open(with_auth(sources.read().settings(), Auth.KEYS))
    with service.platform:
        reloader = Reloader(service, sources)
        file.write_text(BASE + "[executor]\nhosts = ['lake.example.com']\n")
        asyncio.run(reloader.reload())
        file.write_text(file.read_text() + "[access]\nmode = 'none'\n")
        asyncio.run(reloader.reload())
    assert reloader.refused is None
    assert reloader.in_force.restart == ()
    assert service.settings.access.mode == "keys"
    assert service.settings.executor.hosts == ("lake.example.com",)


def test_a_refusal_is_over_once_the_file_is_right_again(file: Path) -> None:
    assert reloaded(file, "log = 3", BASE)[1].refused is None
    assert reloaded(file, "log = 3", BASE + "bandwidth = 20000")[1].refused is None


def test_a_file_that_is_gone_is_no_configuration(tmp_path: Path, file: Path) -> None:
    tmp_path.chmod(0o755)
    sources = Sources(None, {}, tmp_path)
    service = Service.open(sources.read().settings())
    with service.platform:
        reloader = Reloader(service, sources)
        file.unlink()
        asyncio.run(reloader.reload())
    assert service.settings.log == "info"
    assert reloader.refused
    assert str(reloader.refused.findings[0]) == f"{file}: the file is gone"


@pytest.mark.parametrize("key", ["state", "ledger"])
def test_another_ledger_takes_a_restart(
    file: Path, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    other = {"state": 'state = "other"\n', "ledger": 'state = "state"\nledger = "sqlite:///x"\n'}
    service, reloader = reloaded(file, other[key] + 'log = "error"\n')
    assert service.settings.log == "error"
    assert service.settings.state == file.parent / "state"
    assert key in reloader.in_force.restart
    assert f"{key} has changed, which takes a restart" in caplog.text
    values = {value.key: value for value in reloader.in_force.values()}
    assert values["ledger"].value == f"sqlite:///{file.parent}/state/ledger.sqlite"
    assert values["ledger"].origin == "until a restart"
    assert values["log"].origin == f"{file}:{2 if key == 'state' else 3}"


def test_a_part_that_refuses_keeps_all_as_it_was(file: Path) -> None:
    first, second = Part(), Part(refuses="error")
    with served(file) as (service, reloader):
        service.subscribers += [first, second]
        file.write_text(BASE.replace("info", "error"))
        asyncio.run(reloader.reload())
        assert reloader.refused
        assert "not that one" in str(reloader.refused.findings[0])
        file.write_text(BASE.replace("info", "debug"))
        asyncio.run(reloader.reload())
    assert first.logs == second.logs == ["error", "info", "debug"]
    assert service.settings.log == "debug"


SECRET = "[stores.lake]\naccess_key = 'a'\nsecret_key = 'hush'\n"


def test_a_guarded_environment_takes_no_file_with_a_secret(file: Path) -> None:
    service, reloader = reloaded(file, BASE + SECRET, LAKEBED_ENV="production")
    assert "lake" not in service.settings.stores
    assert reloader.refused
    assert "a secret does not belong in the file" in str(reloader.refused.findings[0])
    with pytest.raises(ConfigurationError, match="a secret does not belong"):
        reloaded(file, LAKEBED_ENV="production")


def test_any_other_takes_it_and_does_not_remember_it(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    service, reloader = reloaded(file, BASE + SECRET)
    assert "lake" in service.settings.stores
    assert reloader.in_force.version is None
    assert "line 5: stores.lake.secret_key" in reloader.in_force.unrecorded
    assert "the configuration is not recorded: " in caplog.text
    assert "hush" not in caplog.text


def watched(file: Path, act: Callable[[Service, Reloader], Awaitable[None]]) -> Reloader:
    """What becomes of a reloader that watches while something is done."""

    async def watch(service: Service, reloader: Reloader) -> None:
        watching = asyncio.create_task(reloader.run())
        async with asyncio.timeout(60):
            await act(service, reloader)
        watching.cancel()

    with served(file) as (service, reloader):
        asyncio.run(watch(service, reloader))
        return reloader


def test_a_file_that_changes_is_seen(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reload, "POLL", 0.01)

    async def change(service: Service, reloader: Reloader) -> None:
        file.write_text(BASE.replace("info", "debug"))
        while service.settings.log != "debug":
            await asyncio.sleep(0)

    assert watched(file, change).refused is None


def test_a_database_that_was_away_hears_of_it_later(
    file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(reload, "POLL", 0.01)
    monkeypatch.setattr(reload, "AGAIN", 0.0)
    record, away = History.record, [LedgerError("away")]

    def failing(self: History, *arguments: object) -> object:
        if away:
            raise away.pop()
        return record(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(History, "record", failing)

    async def wait(service: Service, reloader: Reloader) -> None:
        assert reloader.in_force.version is None
        while reloader.in_force.version is None:
            await asyncio.sleep(0)

    assert watched(file, wait).in_force.version
    assert "the configuration is not recorded yet: away" in caplog.text


# --- a replica -----------------------------------------------------------------------------------


def status_once(executor: Replica, true: Callable[[Json], bool]) -> Json:
    """The first status of which this is true."""
    give_up = time.monotonic() + PATIENCE
    while not true(status := executor.get("/api/v1/configuration")):
        assert time.monotonic() < give_up, f"it does not come: {status}"
    return status


def number(status: Json) -> object:
    return status["version"]


def test_a_replica_takes_over_what_changes_and_refuses_what_is_wrong(
    lakebed: Lakebed, source: Bucket, destination: Bucket
) -> None:
    file = lakebed.folder / "lakebed.toml"
    stores = file.read_text()
    source.fill(pairs(3))
    with replica(lakebed) as executor:
        assert number(executor.get("/api/v1/configuration")) is not None
        file.write_text(f"{stores}\n[executor]\nrunning = 9\n")
        status_once(executor, lambda status: number(status) == 2)
        file.write_text(f"{stores}\n[executor]\nrunning = 0\n")
        status = status_once(executor, lambda status: status["refused"] is not None)
        assert number(status) == 2
        assert "executor.running" in str(status["refused"])
        file.write_text(f"{stores}\n[stores.more]\nendpoint = 'http://127.0.0.1:1'\n")
        executor.process.signal(SIGHUP)
        status = status_once(executor, lambda status: number(status) == 3)
        assert status["refused"] is None
        operation = executor.sync(f"here:{source.name}/", f"there:{destination.name}/")
        assert executor.ended(operation)["state"] == "completed"
        rolled_back = lakebed("config", "rollback", "2", "--yes")
        assert rolled_back.code == 0, rolled_back.err
        status_once(executor, lambda status: number(status) == 4)
        versions = executor.get("/api/v1/configuration/history")["versions"]
        assert isinstance(versions, list)
        assert versions[0]["sha256"] == versions[2]["sha256"]
        executor.process.signal(SIGTERM)
        assert executor.process.end().code == 0
    assert lakebed("config", "diff").out == "no difference\n"


def test_a_replica_does_not_start_in_production_with_a_secret_in_its_file(
    lakebed: Lakebed,
) -> None:
    file = lakebed.folder / "lakebed.toml"
    file.write_text(file.read_text().replace("file:secret-key", "hush"))
    ended = lakebed.but(LAKEBED_ENV="production")("executor", "serve", "--port", "0")
    assert ended.code == 2
    assert "secret_key: a secret does not belong in the file" in ended.complaint
    assert "hush" not in ended.err
