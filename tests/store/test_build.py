"""A store from its settings, with its policies around it."""

import logging
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr

from lakebed.errors import ConfigurationError, Interrupted, LakebedError, StoreFault
from lakebed.settings.store import StoreSettings, Timeouts
from lakebed.store.build import open_store
from lakebed.store.cancellation import Cancellation
from lakebed.store.contract import Buffer, Store
from lakebed.store.pace.line import Line
from lakebed.store.pace.pace import Pace
from lakebed.store.pace.paces import Limits
from lakebed.store.wrappers.retry import Backoff
from tests.store.wire import Wire, error, reply


@pytest.fixture
def wire() -> Iterator[Wire]:
    with Wire() as listening:
        yield listening


def settings(wire: Wire, **more: object) -> StoreSettings:
    values: dict[str, object] = {
        "name": "lake",
        "endpoint": wire.url,
        "access_key": SecretStr("key"),
        "secret_key": SecretStr("hush"),
    }
    return StoreSettings.model_validate(values | more)


def opened(settings: StoreSettings, cancellation: Cancellation | None = None) -> Store:
    return open_store(settings, cancellation or Cancellation(), backoff=Backoff(2, first=0.0))


def test_a_store_has_the_name_of_its_settings(wire: Wire) -> None:
    with closing(opened(settings(wire))) as store:
        assert store.name == "lake"
    assert wire.connections == 0


def test_a_fault_is_tried_again_and_told(wire: Wire) -> None:
    told: list[tuple[str, str]] = []
    wire.play(error(500, "InternalError"), reply(200, b"", {"ETag": "tag"}))
    store = open_store(
        settings(wire),
        Cancellation(),
        backoff=Backoff(first=0.0),
        retried=lambda verb, refused: told.append((verb, refused.code)),
    )
    with closing(store):
        assert store.head("bucket", "key").etag == "tag"
    assert told == [("head", "store-fault")]


def test_a_fault_is_not_tried_for_ever(wire: Wire) -> None:
    wire.play(*[error(500, "InternalError")] * 3)
    with closing(opened(settings(wire))) as store, pytest.raises(StoreFault):
        store.head("bucket", "key")
    assert len(wire.seen) == 3


def test_requests_are_signed_for_the_region_and_key(wire: Wire) -> None:
    wire.play(reply(200))
    with closing(opened(settings(wire, region="eu-west-1"))) as store:
        store.head("bucket", "key")
    assert "Credential=key/" in wire.seen[0].headers["authorization"]
    assert "/eu-west-1/s3/" in wire.seen[0].headers["authorization"]


def test_an_anonymous_store_signs_nothing(wire: Wire) -> None:
    wire.play(reply(200))
    anonymous = StoreSettings(name="lake", endpoint=wire.url, anonymous=True)
    with closing(opened(anonymous)) as store:
        store.head("bucket", "key")
    assert "authorization" not in wire.seen[0].headers


def test_virtual_addressing_follows_the_settings(wire: Wire) -> None:
    endpoint = f"http://localhost:{wire.address[1]}"
    wire.play(reply(200))
    with closing(opened(settings(wire, endpoint=endpoint, addressing="virtual"))) as store:
        store.head("bucket", "key")
    assert wire.seen[0].target == "/key"


def test_a_proxy_follows_the_settings(wire: Wire) -> None:
    wire.play(reply(200))
    through = settings(wire, endpoint="http://store.test", proxy=SecretStr(wire.url))
    with closing(opened(through)) as store:
        store.head("bucket", "key")
    assert wire.seen[0].target == "http://store.test/bucket/key"


def test_a_proxy_may_be_kept_elsewhere(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    wire.play(reply(200))
    monkeypatch.setenv("THE_PROXY", wire.url)
    through = settings(wire, endpoint="http://store.test", proxy=SecretStr("env:THE_PROXY"))
    with closing(opened(through)) as store:
        store.head("bucket", "key")
    assert wire.seen[0].target == "http://store.test/bucket/key"


def test_what_is_kept_there_must_be_a_proxy(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_PROXY", "socks5://user:hush@proxy:1")
    with pytest.raises(ConfigurationError, match=r"stores\.lake\.proxy: write http") as refused:
        opened(settings(wire, proxy=SecretStr("env:THE_PROXY")))
    assert "hush" not in str(refused.value)


def test_a_ca_and_timeouts_follow_the_settings(wire: Wire, tmp_path: Path) -> None:
    timeouts = Timeouts(connect=1, stall=1, total=5)
    absent = tmp_path / "absent.pem"
    endpoint = wire.url.replace("http:", "https:")
    told = settings(wire, endpoint=endpoint, ca=absent, timeouts=timeouts)
    with closing(opened(told)) as store, pytest.raises(LakebedError, match=str(absent)):
        store.head("bucket", "key")


def test_a_capability_that_does_not_exist_cannot_be_disabled(wire: Wire) -> None:
    with pytest.raises(ConfigurationError, match=r"stores\.lake\.disable: .* telepathy .*sha256"):
        opened(settings(wire, disable=("sha256", "telepathy")))


def test_two_stores_are_one_where_endpoint_and_account_are(wire: Wire) -> None:
    def identity(**more: object) -> str:
        with closing(opened(settings(wire, **more))) as store:
            return store.properties.identity

    assert identity() == identity(name="other", region="eu-west-1")
    assert identity() != identity(access_key=SecretStr("another"))
    assert identity() != identity(endpoint="http://127.0.0.1:1")


def test_a_stopped_store_sends_nothing(wire: Wire) -> None:
    cancellation = Cancellation()
    cancellation.stop(Interrupted("Ctrl-C"))
    with closing(opened(settings(wire), cancellation)) as store, pytest.raises(Interrupted):
        store.head("bucket", "key")
    assert wire.connections == 0


def test_requests_are_logged_where_debugging_is_on(
    wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    wire.play(reply(200), reply(200))
    with closing(opened(settings(wire))) as store:
        store.head("bucket", "quiet")
    with (
        caplog.at_level(logging.DEBUG, "lakebed.store"),
        closing(opened(settings(wire))) as store,
    ):
        store.head("bucket", "loud")
    assert [line.partition(":0")[0][:21] for line in caplog.messages] == ["head lake:bucket/loud"]
    assert "hush" not in caplog.text


def test_what_is_sent_and_received_waits_for_the_line_that_the_limits_name(wire: Wire) -> None:
    waits: list[float] = []

    class Waits(Cancellation):
        def wait(self, seconds: float) -> None:
            waits.append(seconds)

    wire.play(reply(200, b"", {"ETag": '"tag"'}))
    limits = Limits(Pace(), line=Line(1024, lambda: 0.0))
    with closing(open_store(settings(wire), Waits(), limits=limits)) as store:
        store.put("bucket", "key", Buffer((bytes(2048),)))
    assert waits == [pytest.approx(2 - 0.1)]
    assert limits.pace.writes.level.in_flight == 0
