"""Find the files of a configuration, and read them."""

import logging
import os
import re
import stat
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from os.path import expanduser
from pathlib import Path
from urllib.parse import unquote

import platformdirs

from lakebed.errors import ConfigurationError
from lakebed.settings.finding import Finding, Unreadable
from lakebed.settings.locate import Place, lines_of, skeleton
from lakebed.settings.merge import Table
from lakebed.settings.secret import FILE

FILE_NAME = "lakebed.toml"
SQLITE = "sqlite:///"
"""What comes before the path of a ledger's file."""
_QUOTED = str.maketrans({"%": "%25", "?": "%3F"})
"""What would have a meaning of its own in a URL."""
DEEPEST = 64
"""Tables and lists in one another: no setting needs a tenth of it."""
ROOT = 0
"""The user who can write anywhere."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class File:
    """One file as it is written. It may hold secrets."""

    path: Path
    text: str = field(repr=False)
    table: Table = field(repr=False)

    @property
    def anchored(self) -> Table:
        """The table with its relative paths made those of the folder that holds the file."""
        return _anchored(self.table, self.path.parent)

    @cached_property
    def lines(self) -> dict[Place, int]:
        """Where each value begins."""
        return lines_of(self.text)


def beside(base: Path, environment: str) -> Path:
    """The file of an environment: `lakebed.production.toml` of `lakebed.toml`."""
    return base.with_name(f"{base.stem}.{environment}{base.suffix}")


def looked_for(
    config: Path | None, environ: Mapping[str, str], cwd: Path, environment: str = ""
) -> tuple[tuple[Path, ...], ...]:
    """Where files may be, the first place first: a base, and that of the environment beside it."""
    named = config or environ.get("LAKEBED_CONFIG")
    at_home = platformdirs.user_config_path("lakebed") / FILE_NAME
    bases = [Path(expanduser(named))] if named else [cwd / FILE_NAME, at_home]
    return tuple((base, beside(base, environment)) if environment else (base,) for base in bases)


def found(
    config: Path | None, environ: Mapping[str, str], cwd: Path, environment: str = ""
) -> tuple[Path, ...]:
    """The files that are read: the base, then that of the environment.

    `config` (`--config`) comes before `LAKEBED_CONFIG`, before `lakebed.toml` in `cwd` (where
    nobody else can write), before the one in the user's configuration folder. Raises
    ConfigurationError where an environment is named and has no file anywhere.
    """
    places = looked_for(config, environ, cwd, environment)
    if config is not None or environ.get("LAKEBED_CONFIG"):
        base, *others = places[0]
        return (base, *(path for path in others if path.is_file()))
    for place in places:
        if files := tuple(_ours(place, in_cwd=place[0].parent == cwd)):
            return files
    if environment:
        raise ConfigurationError(
            f"no file of the environment {environment}, and none that all have",
            subject="LAKEBED_ENV",
            advice=f"write {places[0][-1]} or {places[0][0]}, or unset it",
        )
    return ()


def _ours(place: tuple[Path, ...], *, in_cwd: bool) -> Iterator[Path]:
    for path in place:
        if not path.is_file():
            continue
        if in_cwd and (_open_to_others(path.parent) or _open_to_others(path)):
            _log.warning("%s is not read: others can write here (name it with --config)", path)
        else:
            yield path


def _open_to_others(path: Path) -> bool:
    """Whether somebody but us and root can write: a group counts unless it is our own."""
    status = path.stat()
    strangers = status.st_mode & stat.S_IWOTH
    group = status.st_mode & stat.S_IWGRP and status.st_gid != os.getegid()
    return bool(strangers or group or status.st_uid not in (ROOT, os.geteuid()))


def read(path: Path) -> File:
    """Raises Unreadable."""
    try:
        text = path.read_bytes().decode()
    except OSError as error:
        reason = f"cannot read the configuration: {error.strerror}"
        advice = "check --config and LAKEBED_CONFIG"
        raise Unreadable(Finding(reason, where=str(path), advice=advice)) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise Unreadable(Finding("not UTF-8", where=str(path), line=line)) from None
    return parsed(path, text)


def parsed(path: Path, text: str) -> File:
    """A file that has this text. Raises Unreadable."""
    if any(line.count(".") > DEEPEST for line in skeleton(text).splitlines()):
        # The parser takes the square of its length for a key like this.
        raise Unreadable(_endless(path))
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        reason, _, place = str(error).partition(" (at ")
        told = re.search(r"line (\d+)", place)
        line = int(told[1]) if told else max(1, len(text.splitlines()))
        raise Unreadable(Finding(reason, where=str(path), line=line)) from None
    except (ValueError, RecursionError) as error:
        # Of thousands of digits or brackets the parser says something else, and not where.
        raise Unreadable(Finding(f"no TOML: {error}", where=str(path))) from None
    if _depth(table) > DEEPEST:
        raise Unreadable(_endless(path))
    return File(path, text, table)


def _endless(path: Path) -> Finding:
    return Finding("tables or lists in one another without end", where=str(path))


def _depth(table: Table) -> int:
    depth = 0
    level: list[object] = [table]
    while level := [inner for one in level for inner in _inside(one)]:
        depth += 1
    return depth


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _anchored(table: Mapping[str, object], folder: Path) -> Table:
    result: Table = {}
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
