"""A secret, or where it is kept: a value, `env:NAME` or `file:PATH`."""

import logging
import stat
from collections.abc import Mapping
from os.path import expanduser
from pathlib import Path

from pydantic import SecretStr

from lakebed.errors import ConfigurationError

ENVIRONMENT = "env:"
FILE = "file:"

_log = logging.getLogger(__name__)


def reveal(secret: SecretStr, environ: Mapping[str, str], subject: str) -> str:
    """The secret itself, read now; `subject` names the setting in errors.

    Raises ConfigurationError where the variable is not set, or the file is empty or unreadable.
    """
    text = secret.get_secret_value()
    if text.startswith(ENVIRONMENT):
        return _from_environment(text.removeprefix(ENVIRONMENT), environ, subject)
    if text.startswith(FILE):
        return _from_file(Path(expanduser(text.removeprefix(FILE))), subject)
    return text


def is_reference(text: str) -> bool:
    return text.startswith((ENVIRONMENT, FILE))


def _from_environment(name: str, environ: Mapping[str, str], subject: str) -> str:
    value = environ.get(name, "")
    if not value:
        raise ConfigurationError(
            f"the environment variable {name} is not set", subject=subject, advice=f"export {name}"
        )
    return value


def _from_file(path: Path, subject: str) -> str:
    try:
        value = path.read_text(encoding="utf-8").strip()
        open_to_others = path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH)
    except (OSError, ValueError) as error:  # ValueError: no UTF-8, or a path with a NUL
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise ConfigurationError(
            f"cannot read the secret from {path}: {reason}",
            subject=subject,
            advice="check the path and its permissions",
        ) from None
    if not value:
        raise ConfigurationError(f"{path} is empty", subject=subject, advice="write the secret")
    if open_to_others:
        _log.warning("%s: others can read %s (chmod 600 %s)", subject, path, path)
    return value
