"""A configuration in layers: a base file, that of an environment on top, variables above all."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from pathlib import Path
from typing import Self

from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails

from lakebed.errors import ConfigurationError
from lakebed.settings.environment import overlay, variable_of
from lakebed.settings.file import File, found, looked_for, read
from lakebed.settings.finding import Finding, Unreadable
from lakebed.settings.locate import Place, holds
from lakebed.settings.merge import Table, merged
from lakebed.settings.root import Settings
from lakebed.settings.secret import is_reference, reveal
from lakebed.settings.shape import suggestion

VARIABLE = "LAKEBED_ENV"
GUARDED = ("staging", "production")
"""Environments in whose files no secret is written."""
_NAME = re.compile(r"[a-z0-9-]+")


@dataclass(frozen=True, slots=True)
class Layers:
    """What is written, the base file first. Its text and variables may hold secrets."""

    files: tuple[File, ...]
    environ: Mapping[str, str] = field(repr=False)
    environment: str = ""

    def table(self) -> Table:
        none: Table = {}
        written = reduce(merged, (file.anchored for file in self.files), none)
        return overlay(written, self.environ, Settings.model_fields)

    def written(self) -> Settings:
        """The settings, in which a secret may be where it is kept. Raises ConfigurationError."""
        settings, findings = self.validated()
        if settings is None:
            raise findings[0].error()
        return settings

    def settings(self) -> Settings:
        """The settings, with what is needed at once. Raises ConfigurationError."""
        settings = self.written()
        if is_reference(settings.ledger.get_secret_value()):
            ledger = SecretStr(reveal(settings.ledger, self.environ, "ledger"))
            settings = settings.model_copy(update={"ledger": ledger})
        return settings

    def ledger(self) -> str:
        """The URL of the ledger, also where other keys are wrong. Raises ConfigurationError."""
        said = {key: value for key, value in self.table().items() if key in ("state", "ledger")}
        try:
            ledger = Settings.model_validate(said).ledger
        except ValidationError as error:
            wrong = error.errors(include_url=False, include_input=False)
            raise self._finding(wrong[0]).error() from None
        return reveal(ledger, self.environ, "ledger")

    def validated(self) -> tuple[Settings | None, Sequence[Finding]]:
        """The settings, or all that is wrong in them."""
        try:
            return Settings.model_validate(self.table()), ()
        except ValidationError as error:
            wrong = error.errors(include_url=False, include_input=False)
            # Of a default that depends on what is wrong nothing is to be said.
            told = [one for one in wrong if one["type"] != "default_factory_not_called"]
            return None, [self._finding(one) for one in told]

    def origin(self, place: Place) -> tuple[str, int | None]:
        """The variable or the file that has the last word about `place`, and the line there; empty
        where none says anything."""
        if variable := variable_of(place, self.environ) if place else None:
            return variable, None
        for file in reversed(self.files):
            if holds(file.table, place):
                return str(file.path), file.lines.get(place)
        return "", None

    def _finding(self, error: ErrorDetails) -> Finding:
        place = error["loc"]
        reason = error["msg"].removeprefix("Value error, ")
        if error["type"] == "extra_forbidden":
            reason = f"no such setting{suggestion(Settings, place)}"
        if variable := variable_of(place, self.environ) if place else None:
            return Finding(reason, where=variable)
        # What is missing, or wrong as a whole, is written nowhere: the table that it is in is.
        lengths = range(len(place), min(2, len(place)) - 1, -1)
        origins = (self.origin(place[:length]) for length in lengths)
        where, line = next((one for one in origins if one[0]), ("", None))
        return Finding(reason, ".".join(map(str, place)), where, line)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a process looks for its configuration: `--config`, variables, the working directory."""

    config: Path | None
    environ: Mapping[str, str] = field(repr=False)
    cwd: Path

    @property
    def environment(self) -> str:
        """Raises ConfigurationError."""
        name = self.environ.get(VARIABLE, "")
        if name and not _NAME.fullmatch(name):
            raise ConfigurationError(
                "no name of an environment", subject=VARIABLE, advice="use a-z, 0-9 and -"
            )
        return name

    def of(self, environment: str) -> Self:
        """The same, in another environment."""
        return replace(self, environ={**self.environ, VARIABLE: environment})

    def paths(self) -> tuple[Path, ...]:
        """The files that are read now. Raises ConfigurationError."""
        return found(self.config, self.environ, self.cwd, self.environment)

    def candidates(self) -> tuple[Path, ...]:
        """Every file whose coming, change or end makes another configuration."""
        places = looked_for(self.config, self.environ, self.cwd, self.environment)
        return tuple(path for place in places for path in place)

    def place(self) -> tuple[Path, ...]:
        """The files of the one place that is read, or would be: the base, and that of the
        environment, whether they are there or not. Raises ConfigurationError."""
        places = looked_for(self.config, self.environ, self.cwd, self.environment)
        return next((one for one in places if any(path.is_file() for path in one)), places[0])

    def read(self) -> Layers:
        """Raises ConfigurationError for what is no TOML."""
        try:
            files = tuple(map(read, self.paths()))
        except Unreadable as error:
            raise error.finding.error() from None
        return Layers(files, self.environ, self.environment)

    def ledger(self) -> str:
        """The URL of the ledger where anything says it, even if the rest cannot be read. Raises
        ConfigurationError."""
        layers, findings = self.readable()
        if findings and not layers.table().keys() & {"state", "ledger"}:
            raise findings[0].error()
        return layers.ledger()

    def readable(self) -> tuple[Layers, list[Finding]]:
        """What can be read, and what is wrong with the rest. Raises ConfigurationError."""
        files, findings = [], []
        for path in self.paths():
            try:
                files.append(read(path))
            except Unreadable as error:
                findings.append(error.finding)
        return Layers(tuple(files), self.environ, self.environment), findings
