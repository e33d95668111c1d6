"""All that is wrong in a configuration, and what is doubtful."""

from collections.abc import Iterator
from dataclasses import replace

from pydantic import SecretStr

from lakebed.errors import ConfigurationError
from lakebed.settings.finding import Finding
from lakebed.settings.layers import GUARDED, Layers, Sources
from lakebed.settings.literal import literals
from lakebed.settings.root import Settings
from lakebed.settings.secret import is_reference, reveal
from lakebed.settings.shape import leaves


def check(sources: Sources) -> list[Finding]:
    """What is wrong in the files and variables of a process, the files' own errors first."""
    try:
        layers, findings = sources.readable()
    except ConfigurationError as error:
        return [Finding(error.what, where=error.subject, advice=error.advice)]
    settings, wrong = (None, ()) if findings else layers.validated()
    found = [*findings, *wrong, *check_literals(layers)]
    return found if settings is None else [*found, *_unresolved(settings, layers)]


def check_literals(layers: Layers) -> list[Finding]:
    """Secrets in the files: wrong in a guarded environment, a warning in any other."""
    if layers.environment in GUARDED:
        return literals(layers)
    return [replace(finding, level="warning") for finding in literals(layers)]


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
