"""Where a command serves its metrics."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import FakePlatform, Lakebed

LINES = ["sync a:b c:d", "verify a:b c:d", "resume 1M7"]


@pytest.fixture
def taken() -> Iterator[str]:
    """An address at which another process listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("off", ["off", "OFF"])
def test_a_second_command_can_go_without_the_configured_metrics(
    lakebed: Lakebed, platform: FakePlatform, tmp_path: Path, taken: str, line: str, off: str
) -> None:
    (tmp_path / "lakebed.toml").write_text(f'[observe]\nmetrics_listen = "{taken}"\n')
    refused = lakebed(*line.split())
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith(f"lakebed: {taken}: metrics cannot be served here")
    assert lakebed(*line.split(), "--metrics-listen", off).code == 0


def test_a_variable_turns_the_configured_metrics_off(
    lakebed: Lakebed,
    platform: FakePlatform,
    tmp_path: Path,
    taken: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "lakebed.toml").write_text(f'[observe]\nmetrics_listen = "{taken}"\n')
    monkeypatch.setenv("LAKEBED_OBSERVE__METRICS_LISTEN", "off")
    assert lakebed("sync", "a:b", "c:d").code == 0
