"""Metrics are served while a process runs, or written into a file at its end."""

import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from lakebed.errors import ConfigurationError
from lakebed.observe.exposition import served, written
from lakebed.observe.metrics import Metrics
from tests.observe.figures import Figures


@pytest.fixture
def registry() -> CollectorRegistry:
    made = CollectorRegistry()
    Metrics(made)
    return made


def scraped(port: int) -> Figures:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return Figures(answer.read().decode())


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield int(listening.getsockname()[1])


def test_they_are_served_for_the_scope_and_no_longer(registry: CollectorRegistry) -> None:
    with served(registry, "127.0.0.1:0") as port:
        assert scraped(port).sum("lakebed_build_info") == 1
    with pytest.raises(OSError, match="refused"):
        scraped(port)


def test_a_port_that_is_taken_is_a_clear_error(registry: CollectorRegistry, taken: int) -> None:
    address = f"127.0.0.1:{taken}"
    with (
        pytest.raises(ConfigurationError, match=rf"^{address}: .*in use.*--metrics-listen"),
        served(registry, address),
    ):
        raise AssertionError("nothing is served")


@pytest.mark.parametrize("address", ["9464", "127.0.0.1", "host:port", "127.0.0.1:99999", ":9464"])
def test_what_is_no_address_is_refused(registry: CollectorRegistry, address: str) -> None:
    with (
        pytest.raises(ConfigurationError, match=r"not an address .*write 127\.0\.0\.1:9464"),
        served(registry, address),
    ):
        raise AssertionError("nothing is served")


def test_a_file_is_written_as_a_whole_at_the_end(
    registry: CollectorRegistry, tmp_path: Path
) -> None:
    path = tmp_path / "lakebed.prom"
    path.write_text("before")
    with written(registry, path):
        assert path.read_text() == "before"
    assert Figures(path.read_text()).sum("lakebed_build_info") == 1
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_written_after_an_error_too(registry: CollectorRegistry, tmp_path: Path) -> None:
    path = tmp_path / "lakebed.prom"
    with pytest.raises(RuntimeError), written(registry, path):
        raise RuntimeError
    assert path.exists()


def test_where_no_file_can_be_is_heard_of_at_once(
    registry: CollectorRegistry, tmp_path: Path
) -> None:
    for path in (tmp_path, tmp_path / "absent" / "lakebed.prom"):
        with (
            pytest.raises(ConfigurationError, match="cannot be written"),
            written(registry, path),
        ):
            raise AssertionError("nothing is written")


def test_a_folder_that_vanished_does_not_fail_what_is_done(
    registry: CollectorRegistry, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with written(registry, folder / "lakebed.prom"):
        folder.rmdir()
    assert "could not be written" in caplog.text
