"""All that is wrong in a configuration, and what is doubtful."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pydantic import SecretStr

from lakebed.errors import ConfigurationError
from lakebed.settings.finding import Finding
from lakebed.settings.layers import GUARDED, Layers, Sources
from lakebed.settings.literal import literals
from lakebed.settings.root import Settings
from lakebed.settings.secret import is_reference, reveal
from lakebed.settings.shape import leaves


@dataclass(frozen=True, slots=True)
class Verdict:
    """`settings` where nothing is wrong, as they are written: secrets may be references."""

    findings: tuple[Finding, ...]
    layers: Layers | None = None
    settings: Settings | None = None

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.level == "error")


def check(sources: Sources) -> Verdict:
    """What is wrong in the files and variables of a process, the files' own errors first."""
    try:
        layers, findings = sources.readable()
        missing = list(_missing(sources))
    except ConfigurationError as error:
        return Verdict((Finding(error.what, where=error.subject, advice=error.advice),))
    if findings:
        return Verdict((*findings, *check_literals(layers)))
    verdict = check_layers(layers)
    if verdict.settings is None:
        return verdict
    doubts = (*missing, *_unresolved(verdict.settings, layers))
    return replace(verdict, findings=(*verdict.findings, *doubts))


def check_layers(layers: Layers) -> Verdict:
    """What is wrong in layers that can be read."""
    settings, wrong = layers.validated()
    return Verdict((*wrong, *check_literals(layers)), layers, settings)


def check_literals(layers: Layers) -> list[Finding]:
    """Secrets in the files: wrong in a guarded environment, a warning in any other."""
    if layers.environment in GUARDED:
        return literals(layers)
    return [replace(finding, level="warning") for finding in literals(layers)]


def _missing(sources: Sources) -> Iterator[Finding]:
    """A file that an environment does not have: it need not, but its name may be misspelt."""
    for path in sources.place()[1:]:
        if not path.is_file():
            reason = f"the environment {sources.environment} has no file of its own"
            yield Finding(reason, where=str(path), level="warning")


def _unresolved(settings: Settings, layers: Layers) -> Iterator[Finding]:
    """References that lead nowhere here: they may where the service runs."""
    for place, value in leaves(settings):
        if isinstance(value, SecretStr) and is_reference(value.get_secret_value()):
            key = ".".join(map(str, place))
            try:
                reveal(value, layers.environ, key)
            except ConfigurationError as error:
                where, line = layers.origin(place)
                yield Finding(error.what, key, where, line, error.advice, "warning")
