"""`[observe]` of the configuration."""

from pathlib import Path

import pytest

from lakebed.errors import ConfigurationError
from lakebed.settings import load


def written(folder: Path, text: str) -> Path:
    file = folder / "lakebed.toml"
    file.write_text(f"[observe]\n{text}\n")
    return file


def test_a_file_of_metrics_is_beside_the_configuration(tmp_path: Path) -> None:
    settings = load(written(tmp_path, "metrics_file = 'lakebed.prom'"), {}, tmp_path)
    assert settings.observe.metrics_file == tmp_path / "lakebed.prom"


def test_a_variable_comes_before_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, "metrics_listen = '127.0.0.1:1'")
    environ = {"LAKEBED_OBSERVE__METRICS_LISTEN": "127.0.0.1:9464"}
    assert load(file, environ, tmp_path).observe.metrics_listen == "127.0.0.1:9464"


def test_a_misspelt_setting_is_recognised(tmp_path: Path) -> None:
    file = written(tmp_path, "metric_file = 'x'")
    with pytest.raises(ConfigurationError, match=r"line 2: .*did you mean metrics_file\?"):
        load(file, {}, tmp_path)


@pytest.mark.parametrize("url", ["ftp://collector", "collector:4318", "http://me:hush@collector"])
def test_a_collector_has_a_plain_url(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigurationError, match="traces") as refused:
        load(written(tmp_path, f"traces = '{url}'"), {}, tmp_path)
    assert "hush" not in str(refused.value)


def test_the_url_of_a_collector_is_taken_as_it_is(tmp_path: Path) -> None:
    file = written(tmp_path, "traces = 'http://collector:4318'")
    assert load(file, {}, tmp_path).observe.traces == "http://collector:4318"
