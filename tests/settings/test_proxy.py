"""The proxy's password, which libcurl repeats where it cannot read the proxy's URL."""

from contextlib import closing

import pytest

from lakebed.errors import StoreUnreachable
from lakebed.store.cancellation import Cancellation
from lakebed.store.s3.client import Client, Endpoint, Request

PROXIES = [
    "http://user:hush s3/cr3t@127.0.0.1:1",
    "http://user:hush':%20s3cr3t: x y/@127.0.0.1:1",
    f"http://user:hush {'s3cr3t' * 60}@127.0.0.1:1",
]
"""None can be read; libcurl cuts its words about the last, which is longer than they may be."""


def refusal(proxy: str | None) -> str:
    endpoint = Endpoint("lake", "http://store.test", "us-east-1", proxy=proxy)
    with (
        closing(Client(endpoint, lambda: None, Cancellation())) as client,
        pytest.raises(StoreUnreachable) as refused,
    ):
        client.send(Request("GET"))
    return f"{refused.value} {refused.value!r}"


def is_clean(said: str) -> bool:
    return "the proxy" in said and not any(word in said for word in ("hush", "s3", "cr3t", "user"))


@pytest.mark.parametrize("proxy", PROXIES, ids=["slash", "quote", "long"])
def test_a_proxy_that_libcurl_cannot_read_is_not_repeated(proxy: str) -> None:
    assert is_clean(refusal(proxy))


@pytest.mark.parametrize("proxy", PROXIES, ids=["slash", "quote", "long"])
def test_a_proxy_of_the_environment_is_not_repeated_either(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("http_proxy", proxy)
    assert is_clean(refusal(None))
