"""Find the configuration, read it, and refuse what is wrong with the line and the reason."""

import difflib
import logging
import os
import re
import stat
import tomllib
from collections.abc import Mapping
from os.path import expanduser
from pathlib import Path
from urllib.parse import unquote

import platformdirs
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_core import ErrorDetails

from lakebed.errors import ConfigurationError
from lakebed.settings.environment import overlay, variable_of
from lakebed.settings.locate import holds, line_of
from lakebed.settings.observe import ObserveSettings
from lakebed.settings.root import Settings
from lakebed.settings.secret import FILE, is_reference, reveal
from lakebed.settings.store import StoreSettings, Timeouts

FILE_NAME = "lakebed.toml"
SQLITE = "sqlite:///"
"""What comes before the path of a ledger's file."""
_QUOTED = str.maketrans({"%": "%25", "?": "%3F"})
"""What would have a meaning of its own in a URL."""
ROOT = 0
"""The user who can write anywhere."""

_log = logging.getLogger(__name__)


def load(config: Path | None, environ: Mapping[str, str], cwd: Path) -> Settings:
    """The settings of a process.

    `config` (`--config`) comes before `LAKEBED_CONFIG`, before `lakebed.toml` in `cwd` (where
    nobody else can write), before the one in the user's configuration folder. Variables
    `LAKEBED_…` come on top. Raises ConfigurationError with the file, the line and the reason.
    """
    path = find(config, environ, cwd)
    text = _read(path) if path else ""
    written = _parse(text, path) if path else {}
    table = overlay(_anchored(written, path.parent) if path else {}, environ, Settings.model_fields)
    try:
        settings = Settings.model_validate(table)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise _refusal(first, written, text, path, environ) from None
    if is_reference(settings.ledger.get_secret_value()):
        ledger = SecretStr(reveal(settings.ledger, environ, "ledger"))
        settings = settings.model_copy(update={"ledger": ledger})
    return settings


def find(config: Path | None, environ: Mapping[str, str], cwd: Path) -> Path | None:
    """The file that is read, None where there is none to be found by itself."""
    if config is not None:
        return Path(expanduser(config))
    if named := environ.get("LAKEBED_CONFIG"):
        return Path(expanduser(named))
    here = cwd / FILE_NAME
    if here.is_file():
        if not (_open_to_others(cwd) or _open_to_others(here)):
            return here
        _log.warning("%s is not read: others can write here (name it with --config)", here)
    at_home = platformdirs.user_config_path("lakebed") / FILE_NAME
    return at_home if at_home.is_file() else None


def _open_to_others(path: Path) -> bool:
    """Whether somebody but us and root can write: a group counts unless it is our own."""
    status = path.stat()
    strangers = status.st_mode & stat.S_IWOTH
    group = status.st_mode & stat.S_IWGRP and status.st_gid != os.getegid()
    return bool(strangers or group or status.st_uid not in (ROOT, os.geteuid()))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(
            f"cannot read the configuration: {error.strerror}",
            subject=str(path),
            advice="check --config and LAKEBED_CONFIG",
        ) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigurationError("not UTF-8", subject=f"{path}, line {line}") from None


def _parse(text: str, path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        reason, _, place = str(error).partition(" (at ")
        found = re.search(r"line (\d+)", place)
        line = int(found[1]) if found else max(1, len(text.splitlines()))
        raise ConfigurationError(reason, subject=f"{path}, line {line}") from None
    except (ValueError, RecursionError) as error:
        # Of thousands of digits or brackets the parser says something else, and not where.
        raise ConfigurationError(f"no TOML: {error}", subject=str(path)) from None


def _anchored(table: Mapping[str, object], folder: Path) -> dict[str, object]:
    """`table` with its relative paths made those of the folder that holds the file."""
    result: dict[str, object] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            result[key] = _anchored(value, folder)
        elif isinstance(value, str) and value.startswith(FILE):
            result[key] = FILE + str(_under(folder, value.removeprefix(FILE)))
        elif isinstance(value, str) and key in ("ca", "head", "metrics_file", "state"):
            result[key] = str(_under(folder, value))
        elif isinstance(value, str) and key == "ledger" and value.startswith(SQLITE):
            result[key] = SQLITE + _database(folder, value.removeprefix(SQLITE))
        else:
            result[key] = value
    return result


def _under(folder: Path, path: str) -> Path:
    return folder.absolute() / expanduser(path)


def _database(folder: Path, rest: str) -> str:
    """The path in the URL of a SQLite file, and the query that may follow it."""
    path, mark, query = rest.partition("?")
    if path in ("", ":memory:") or path.startswith(FILE):
        return rest  # no path: refused where the ledger is opened, or a URI of SQLite's own
    return f"{_under(folder, unquote(path))}".translate(_QUOTED) + mark + query


def _refusal(
    error: ErrorDetails,
    written: Mapping[str, object],
    text: str,
    path: Path | None,
    environ: Mapping[str, str],
) -> ConfigurationError:
    place = error["loc"]
    name = ".".join(map(str, place))
    reason = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        reason = f"no such setting{_suggestion(place)}"
    variable = variable_of(place, environ) if place else None
    if variable is not None:
        return ConfigurationError(reason, subject=variable)
    in_file = path is not None and holds(written, place[:2])
    where = f"{path}, line {line_of(text, place)}" if in_file else "configuration"
    return ConfigurationError(f"{name}: {reason}" if name else reason, subject=where)


def _suggestion(place: tuple[str | int, ...]) -> str:
    """A setting of nearly the same name, at the depth of `place`."""
    models: dict[int, type[BaseModel]] = {1: Settings, 2: ObserveSettings, 3: StoreSettings}
    fields = models.get(len(place), Timeouts).model_fields
    close = difflib.get_close_matches(str(place[-1]), fields, n=1)
    return f", did you mean {close[0]}?" if close else ""
