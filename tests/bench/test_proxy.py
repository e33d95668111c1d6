"""The proxy before a slow or limited source."""

import http.client
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

import pytest
from bench.cases.case import Shaping
from bench.loops.proxy import Policy
from bench.shaping import shaped
from hypothesis import given
from hypothesis import strategies as st

from tests.e2e.gateway import Asked, Gateway, answer


class Clock:
    """Seconds, as the test says."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@given(st.lists(st.floats(0, 0.5), min_size=1, max_size=300), st.integers(5, 100))
def test_never_more_is_allowed_than_the_rate_and_its_burst(waits: list[float], rate: int) -> None:
    clock = Clock()
    policy = Policy(0.0, rate, clock)
    for wait in waits:
        clock.now += wait
        policy.allows()
    assert policy.allowed <= rate * (clock.now + 0.2) + 1e-6
    assert policy.allowed + policy.refused == len(waits)


def test_a_steady_client_below_the_rate_is_never_refused() -> None:
    clock = Clock()
    policy = Policy(0.0, 50, clock)
    for _ in range(200):
        clock.now += 1 / 49
        assert policy.allows()


def test_without_a_rate_all_is_allowed() -> None:
    policy = Policy(0.0, 0.0)
    assert all(policy.allows() for _ in range(1000))


def _echo(asked: Asked) -> bytes:
    return answer("200 OK", f"{asked.method} {asked.path}")


@pytest.fixture
def store() -> Iterator[Gateway]:
    with Gateway(choose=_echo) as gateway:
        yield gateway


Ask = Callable[[str, str, bytes], tuple[int, str]]


@contextmanager
def _asking(endpoint: str) -> Iterator[Ask]:
    """Asks on one connection, and gives the status and the text of the answer."""
    with closing(http.client.HTTPConnection(urlsplit(endpoint).netloc, timeout=30)) as connection:

        def ask(method: str, path: str, body: bytes) -> tuple[int, str]:
            connection.request(method, path, body)
            response = connection.getresponse()
            return response.status, response.read().decode()

        yield ask


def test_nothing_stands_before_a_source_without_shaping() -> None:
    with shaped("http://127.0.0.1:9", None) as found:
        assert found.endpoint == "http://127.0.0.1:9"


def test_answers_pass_one_after_the_other_on_one_connection(store: Gateway) -> None:
    with shaped(store.endpoint, Shaping(delay=0.001)) as found, _asking(found.endpoint) as ask:
        assert ask("GET", "/a", b"") == (200, "GET /a")
        assert ask("PUT", "/b", b"x" * 300_000) == (200, "PUT /b")
        assert ask("GET", "/c", b"") == (200, "GET /c")
    assert (found.allowed, found.refused) == (3, 0)


def test_what_exceeds_the_rate_is_told_to_slow_down_and_never_reaches_the_store(
    store: Gateway,
) -> None:
    with shaped(store.endpoint, Shaping(rate=5)) as found, _asking(found.endpoint) as ask:
        answers = [ask("PUT", f"/{n}", b"body") for n in range(20)]
    refused = [text for status, text in answers if status == 503]
    assert refused
    assert all("<Code>SlowDown</Code>" in text for text in refused)
    assert found.refused == len(refused)
    assert found.allowed == len(store.seen) == 20 - len(refused)
