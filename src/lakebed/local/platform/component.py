"""A component of the platform, as data: how it is started, when it is ready, how it ends."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


def _nothing() -> None:
    return


@dataclass(frozen=True, slots=True)
class Component:
    """One server. Secrets are in `environment` or in files, never in `argv`."""

    name: str
    version: str
    url: str
    """Where it answers; no credentials in it."""
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    account: str | None = None
    """The user that it runs as, where that is not ours."""
    prepare: Callable[[], None] = _nothing
    """Done before each start, as often as there is one. Raises LakebedError."""
    is_ready: Callable[[], bool] = lambda: True
    """Asked until it is. Never raises for a server that is not there yet."""
    settle: Callable[[], None] = _nothing
    """Done once it is ready for the first time: what the others count on. Raises LakebedError."""
    grace: float = 10.0
    """Seconds that it has to end by itself."""
