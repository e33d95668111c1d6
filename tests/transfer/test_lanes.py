"""The lanes, as the stores see them: how often they ask."""

import pytest

from lakebed.errors import StoreUnreachable
from lakebed.model.operation import Options
from lakebed.model.quantity import KIB, MIB
from lakebed.transfer.lanes import multipart
from tests.faults import Drop
from tests.transfer.engine import Engine

LARGE = bytes(range(256)) * (10 * KIB)


def test_a_source_that_fails_in_a_stream_is_asked_as_often_as_one_request_is_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(multipart, "PART", MIB)
    engine = Engine(Options(concurrency=1, memory=MIB), retries=3)
    engine.publish("a", LARGE)
    engine.source.inject(Drop(), "get", times=None)
    engine.source.inject(Drop(), "list_page", nth=2, times=None)  # it is away as a whole
    assert isinstance(engine.run(), StoreUnreachable)
    assert engine.source.count("get") == 1 + 3
    assert engine.destination.count("upload_part") == 1
