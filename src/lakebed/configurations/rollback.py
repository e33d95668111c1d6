"""Going back to a recorded version: its files are written again."""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from lakebed.configurations.history import History, Version
from lakebed.errors import ConfigurationError, UsageError
from lakebed.settings.layers import Sources

REPLACED = ".replaced"
"""Ends the name of what is kept of a file that cannot be recorded."""


@dataclass(frozen=True, slots=True)
class RolledBack:
    """What became of the files that were there: a version, or copies beside them."""

    written: tuple[Path, ...]
    removed: tuple[Path, ...]
    recorded: Version | None = None
    copies: tuple[Path, ...] = ()


def roll_back(history: History, sources: Sources, version: Version, author: str) -> RolledBack:
    """Make the files those of `version`. Each is replaced at once, whatever happens meanwhile.

    What is there is recorded before; where it cannot be, being wrong or with a secret in it, a copy
    of each file stays beside it. Raises UsageError where the version is of other files.
    """
    places = places_of(sources, version)
    present = [path for path in places.values() if path.is_file()]
    recorded: Version | None = None
    copies: tuple[Path, ...] = ()
    try:
        recorded = history.record(sources.read(), author) if present else None
    except ConfigurationError:
        copies = tuple(_copied(path) for path in present)
    _write({places[name]: text for name, text in version.files.items()})
    kept = {places[name] for name in version.files}
    removed = tuple(path for path in present if path not in kept)
    for path in removed:
        path.unlink()
    return RolledBack(tuple(kept), removed, recorded, copies)


def places_of(sources: Sources, version: Version) -> dict[str, Path]:
    """Where the files of this process are, by name. Raises UsageError where the version has
    others, or is of another environment."""
    if version.environment != sources.environment:
        raise UsageError(
            f"it is of the environment {version.environment or 'that has no name'}",
            subject=f"version {version.number}",
            advice=f"write --env {version.environment}" if version.environment else "unset --env",
        )
    places = {path.name: path for path in sources.place()}
    if strange := [name for name in version.files if name not in places]:
        raise UsageError(
            f"it has a file {strange[0]}, and here are {' and '.join(places)}",
            subject=f"version {version.number}",
            advice="name the file that it was loaded from with --config",
        )
    return places


def _write(texts: Mapping[Path, str]) -> None:
    """All are on disk before the first takes its place."""
    ready = []
    try:
        for path, text in texts.items():
            draft = path.with_name(f".{path.name}~{token_hex(4)}")
            ready.append((draft, path))
            _write_draft(draft, text, path)
        for draft, path in ready:
            draft.replace(path)
    except OSError as error:
        raise ConfigurationError(
            f"cannot write the configuration: {error.strerror}", subject=str(error.filename)
        ) from error
    finally:
        for draft, _ in ready:
            draft.unlink(missing_ok=True)
    for folder in {path.parent for path in texts}:
        _flush(folder)


def _write_draft(draft: Path, text: str, path: Path) -> None:
    """With the permissions that the file has, else for its owner alone."""
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        with suppress(FileNotFoundError):
            os.fchmod(file.fileno(), path.stat().st_mode & 0o777)
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _copied(path: Path) -> Path:
    copy = path.with_name(path.name + REPLACED)
    copy.unlink(missing_ok=True)
    with open(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(path.read_bytes())
    return copy
