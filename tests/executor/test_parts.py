"""A replica is the sum of its parts: without one of them it is none, and stops."""

import signal
import threading
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from lakebed.executor.app import build
from lakebed.executor.service import Service
from tests.executor.inside import settings_in

SOON = 30.0


@pytest.mark.parametrize("part", ["crew", "streams"])
def test_a_replica_of_which_a_part_broke_stops(
    tmp_path: Path, part: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    raised: list[int] = []
    stops = threading.Event()

    def stop(number: int) -> None:
        raised.append(number)
        stops.set()

    async def breaks() -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(signal, "raise_signal", stop)
    service = Service.open(settings_in(tmp_path))
    monkeypatch.setattr(getattr(service, part), "run", breaks)
    with pytest.raises(ZeroDivisionError), TestClient(build(service)):
        assert stops.wait(SOON), "it goes on as if nothing was"
    assert raised == [signal.SIGTERM]
    assert "a part of the replica broke" in caplog.text


def test_a_replica_that_stops_by_itself_says_nothing_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    raised: list[int] = []
    monkeypatch.setattr(signal, "raise_signal", raised.append)
    with TestClient(build(Service.open(settings_in(tmp_path)))) as client:
        assert client.get("/health").status_code == 200
    assert (raised, caplog.text) == ([], "")
