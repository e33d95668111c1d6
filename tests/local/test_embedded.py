"""A store over a folder, as long as it is entered."""

import http.client
import os
import stat
import tomllib
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from lakebed.errors import ConfigurationError, StoreError
from lakebed.local import embedded, engines
from lakebed.local.address import Address, free_ports
from lakebed.local.embedded import EmbeddedStore
from lakebed.settings.store import StoreSettings
from lakebed.store.build import open_store
from lakebed.store.cancellation import Cancellation
from lakebed.store.contract import Buffer
from tests.local import servers
from tests.local.servers import Scripted


def use(monkeypatch: pytest.MonkeyPatch, engine: Scripted) -> None:
    monkeypatch.setattr(engines, "ENGINES", (engine,))


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def status(endpoint: str) -> int:
    """What a request without a signature is answered."""
    with closing(http.client.HTTPConnection(urlsplit(endpoint).netloc, timeout=30)) as connection:
        connection.request("GET", "/")
        return connection.getresponse().status


def test_the_server_lives_as_long_as_the_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, Scripted())
    store = EmbeddedStore(tmp_path / "store")
    assert (store.engine, store.pid, store.wait()) == ("", 0, None)
    with store:
        assert is_alive(store.pid)
        assert status(store.endpoint) == 200
        assert store.wait(0) is None
        assert store.engine == "scripted"
    assert not is_alive(store.pid)


def test_it_ends_with_an_error_in_the_block_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, Scripted())
    store = EmbeddedStore(tmp_path / "store")
    with pytest.raises(ZeroDivisionError), store:
        raise ZeroDivisionError
    assert not is_alive(store.pid)


def test_one_that_does_not_listen_is_ended_after_its_grace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, Scripted(servers.DEAF, grace=0.01))
    with EmbeddedStore(tmp_path / "store") as store:
        assert is_alive(store.pid)
    assert store.wait(0) == -9


def test_files_that_a_server_leaves_elsewhere_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = tmp_path / "left.sock"
    left.touch()
    use(monkeypatch, Scripted(residue=(left, tmp_path / "never.sock")))
    with EmbeddedStore(tmp_path / "store"):
        assert left.exists()
    assert not left.exists()


def test_our_own_settings_do_not_reach_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "ours")
    script = "import os; print(sorted(os.environ)); raise SystemExit(1)"
    use(monkeypatch, Scripted(script))
    with pytest.raises(StoreError) as refused, EmbeddedStore(tmp_path / "store"):
        pass
    assert "SECRET" in str(refused.value)
    assert "AWS_" not in str(refused.value)


def test_a_taken_port_is_left_for_another_free_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, Scripted(servers.TAKEN_ONCE))
    with EmbeddedStore(tmp_path / "store") as store:
        assert status(store.endpoint) == 200


@pytest.mark.parametrize("free", [True, False], ids=["free port", "given port"])
def test_an_address_in_use_is_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: bool
) -> None:
    use(monkeypatch, Scripted(servers.PORT_TAKEN))
    address = Address("127.0.0.1", 0 if free else free_ports(1)[0])
    with (
        pytest.raises(ConfigurationError, match="another program listens there"),
        EmbeddedStore(tmp_path / "store", str(address)),
    ):
        pass


def test_a_server_that_ends_at_once_is_reported_with_its_log_and_without_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, Scripted(servers.TELLING_SECRETS))
    store = EmbeddedStore(tmp_path / "store")
    with pytest.raises(StoreError, match=r"secret is \*\*\*") as refused, store:
        pass
    assert store.secret_key
    assert store.secret_key not in str(refused.value)


def test_a_server_that_cannot_be_started_is_an_error_of_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, Scripted())
    with EmbeddedStore(tmp_path / "store"):
        pass
    (tmp_path / "store" / "server.log").unlink()
    (tmp_path / "store" / "server.log").mkdir()
    store = EmbeddedStore(tmp_path / "store")
    with pytest.raises(StoreError, match="cannot be started") as refused, store:
        pass
    assert "log ends" not in str(refused.value)


def test_a_server_that_never_answers_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "START_SECONDS", 0.1)
    use(monkeypatch, Scripted(servers.SILENT))
    store = EmbeddedStore(tmp_path / "store")
    with pytest.raises(StoreError, match="does not answer"), store:
        pass
    assert not is_alive(store.pid)


def test_a_program_that_vanishes_is_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "choose", lambda name: replace(Scripted(), present=False))
    with (
        pytest.raises(ConfigurationError, match="its program is gone"),
        EmbeddedStore(tmp_path / "store"),
    ):
        pass


def test_a_bucket_that_cannot_be_made_is_said_so_and_nothing_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, Scripted(servers.REFUSING_BUCKETS))
    store = EmbeddedStore(tmp_path / "store", buckets=["Not a bucket"])
    with pytest.raises(StoreError, match="cannot be created"), store:
        pass
    assert not is_alive(store.pid)


def test_its_configuration_refers_to_its_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, Scripted())
    store = EmbeddedStore(tmp_path / 'a "quoted" folder')
    with pytest.raises(ConfigurationError, match="not served"):
        store.configuration("lake")
    with store:
        text = store.configuration("lake")
        table = tomllib.loads(text)["stores"]["lake"]
        assert table["endpoint"] == store.endpoint
        secret = Path(table["secret_key"].removeprefix("file:"))
        assert secret.read_text().strip() == store.secret_key
        assert store.secret_key not in text


def test_two_stores_of_one_folder_exclude_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, Scripted())
    second = EmbeddedStore(tmp_path / "store")
    with EmbeddedStore(tmp_path / "store") as first:
        with pytest.raises(ConfigurationError, match="already served"), second:
            pass
        assert is_alive(first.pid)
    with second:
        assert is_alive(second.pid)


@pytest.mark.parametrize("engine", engines.NAMES)
def test_a_real_server_keeps_what_it_was_given(tmp_path: Path, engine: str) -> None:
    try:
        engines.choose(engine)
    except ConfigurationError as absent:
        pytest.skip(str(absent))
    content = os.urandom(5_000_000)
    endpoints = set()
    for nth in range(2):
        with EmbeddedStore(tmp_path / "store", engine=engine, buckets=["lake"]) as served:
            endpoints.add(served.endpoint)
            assert status(served.endpoint) == 403
            assert stat.S_IMODE((tmp_path / "store" / "server.log").stat().st_mode) == 0o600
            settings = StoreSettings.model_validate(
                {
                    "endpoint": served.endpoint,
                    "access_key": served.access_key,
                    "secret_key": served.secret_key,
                }
            )
            with closing(open_store(settings, Cancellation())) as store:
                if nth == 0:
                    store.put("lake", "币安人生USDT/file", Buffer([content]))
                received: list[bytes] = []
                store.get("lake", "币安人生USDT/file", received.append)
                assert b"".join(map(bytes, received)) == content
                assert store.buckets() == ["lake"]
        assert not is_alive(served.pid)
    assert len(endpoints) == 2
