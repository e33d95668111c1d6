"""A secret, or where it is kept."""

import logging
from pathlib import Path

import pytest
from pydantic import SecretStr

from lakebed.errors import ConfigurationError
from lakebed.settings.secret import reveal


def test_a_value_is_itself() -> None:
    assert reveal(SecretStr("value"), {}, "s") == "value"


def test_a_variable_is_read_from_the_environment() -> None:
    assert reveal(SecretStr("env:NAME"), {"NAME": "value"}, "s") == "value"


def test_an_unset_variable_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match=r"^stores\.lake\.secret_key: .* NAME is not set"):
        reveal(SecretStr("env:NAME"), {"NAME": ""}, "stores.lake.secret_key")


def test_a_file_is_read_without_its_last_newline(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "secret"
    path.write_text("value\n")
    path.chmod(0o600)
    assert reveal(SecretStr(f"file:{path}"), {}, "s") == "value"
    assert caplog.text == ""


def test_a_file_that_others_can_read_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "secret"
    path.write_text("value")
    path.chmod(0o644)
    with caplog.at_level(logging.WARNING, "lakebed"):
        reveal(SecretStr(f"file:{path}"), {}, "s")
    assert f"others can read {path}" in caplog.text
    assert "value" not in caplog.text


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "No such file"), (b"\n", "is empty"), (b"\xff\xfe", "not text")],
)
def test_a_file_without_a_secret_is_refused(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=reason):
        reveal(SecretStr(f"file:{path}"), {}, "s")
