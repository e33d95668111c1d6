"""A line in the log for each request."""

import logging
from collections.abc import Iterator

import pytest

from lakebed.errors import ObjectMissing
from lakebed.store.contract import Buffer
from lakebed.store.memory import MemoryStore
from lakebed.store.wrappers.trace import Trace


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.DEBUG, "lakebed.store"):
        yield caplog


@pytest.fixture
def store() -> Trace:
    return Trace(MemoryStore("lake", buckets=["bucket"]))


def test_a_request_is_a_line_with_its_duration(
    store: Trace, lines: pytest.LogCaptureFixture
) -> None:
    assert store.put("bucket", "a b", Buffer((b"secret bytes",))).etag
    (message,) = lines.messages
    assert message.startswith("put lake:bucket/a b: 0.0")
    assert message.endswith(" s")
    assert "secret bytes" not in lines.text


def test_a_refusal_is_a_line_with_its_code_and_goes_on_up(
    store: Trace, lines: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ObjectMissing):
        store.head("bucket", "absent")
    (message,) = lines.messages
    assert message.startswith("head lake:bucket/absent: object-missing after 0.0")
    assert [record.levelname for record in lines.records] == ["DEBUG"]
