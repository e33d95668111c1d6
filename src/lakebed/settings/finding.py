"""What is wrong in a configuration: where it is written, and why."""

from dataclasses import dataclass
from typing import Literal

from lakebed.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Finding:
    """`where` is a file or a variable. None of it holds a value: it might be a secret."""

    reason: str
    key: str = ""
    where: str = ""
    line: int | None = None
    advice: str = ""
    level: Literal["error", "warning"] = "error"
    """A warning is told, and refuses nothing."""

    @property
    def place(self) -> str:
        if not self.where:
            return "configuration"
        return self.where if self.line is None else f"{self.where}, line {self.line}"

    @property
    def what(self) -> str:
        return f"{self.key}: {self.reason}" if self.key else self.reason

    def error(self) -> ConfigurationError:
        return ConfigurationError(self.what, subject=self.place, advice=self.advice)

    def __str__(self) -> str:
        return str(self.error())


class Unreadable(Exception):
    """A file that is none of a configuration."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.what)
        self.finding = finding
