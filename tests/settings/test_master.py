"""The master key: made once, kept to oneself, one for each purpose."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from lakebed.errors import ConfigurationError
from lakebed.settings import Settings
from lakebed.settings.audit import AuditSettings
from lakebed.settings.master import key_for


def test_a_key_is_made_at_first_use_and_kept_to_oneself(tmp_path: Path) -> None:
    settings = Settings(state=tmp_path / "state")
    first = key_for("audit", settings, {})
    assert key_for("audit", settings, {}) == first
    assert key_for("webhooks", settings, {}) != first
    (file,) = (tmp_path / "state").iterdir()
    assert (file.name, file.stat().st_mode & 0o777) == ("master.key", 0o600)


def test_a_key_can_be_kept_elsewhere(tmp_path: Path) -> None:
    settings = Settings(state=tmp_path, audit=AuditSettings(key=SecretStr("env:MASTER")))
    assert len(key_for("audit", settings, {"MASTER": "m" * 32})) == 32
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConfigurationError, match="less than 32 characters"):
        key_for("audit", settings, {"MASTER": "short"})


def test_a_key_is_never_written_into_the_configuration_itself() -> None:
    with pytest.raises(ValidationError, match="not the key itself"):
        AuditSettings(key=SecretStr("m" * 32))


def test_a_key_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(ConfigurationError, match="the key cannot be made"):
        key_for("audit", Settings(state=tmp_path / "state" / "in"), {})
