"""The master key of a service: kept outside of its database, made where there is none yet."""

import hmac
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pydantic import SecretStr

from lakebed.errors import ConfigurationError
from lakebed.settings.root import Settings
from lakebed.settings.secret import FILE, reveal

FILE_NAME = "master.key"
SHORTEST = 32
"""Characters: less could be guessed."""
_SUBJECT = "audit.key"


def key_for(purpose: str, settings: Settings, environ: Mapping[str, str]) -> bytes:
    """The key for one purpose: whoever has it knows neither the master nor any other.

    Raises ConfigurationError where the master key cannot be read or made.
    """
    return hmac.digest(_master(settings, environ).encode(), purpose.encode(), "sha256")


def _master(settings: Settings, environ: Mapping[str, str]) -> str:
    reference = settings.audit.key
    if reference is None:
        path = settings.state / FILE_NAME
        if not path.exists():
            _make(path)
        reference = SecretStr(f"{FILE}{path}")
    text = reveal(reference, environ, _SUBJECT)
    if len(text) < SHORTEST:
        raise ConfigurationError(
            f"the key has less than {SHORTEST} characters",
            subject=_SUBJECT,
            advice="make one, as with `openssl rand -hex 32`",
        )
    return text


def _make(path: Path) -> None:
    """Whole from the moment it is there, and never over one that another process has made."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    except OSError as error:
        raise ConfigurationError(
            f"the key cannot be made: {error.strerror}",
            subject=str(path),
            advice="check the state folder, or set audit.key",
        ) from None
