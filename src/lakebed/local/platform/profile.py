"""Which components a platform has, in the order in which they start."""

from collections.abc import Mapping, Sequence

from lakebed.local.platform.component import Component
from lakebed.local.platform.components import executor, postgresql, store
from lakebed.local.platform.home import Home
from lakebed.model.platform import Profile

_COMPONENTS = {
    Profile.SMALL: (store, executor),
    Profile.FULL: (store, postgresql, executor),
}


def components(home: Home, profile: Profile) -> Sequence[Component]:
    """Raises ConfigurationError where something is missing for one of them."""
    chosen = _COMPONENTS[profile]
    ports = home.ports({one.NAME: one.PORT for one in chosen})
    found = [one.component(home, ports[one.NAME]) for one in chosen]
    configuration = home.path / "lakebed.toml"
    if not configuration.exists():
        home.keep(configuration.name, _configuration(home, profile, ports))
    return found


def _configuration(home: Home, profile: Profile, ports: Mapping[str, int]) -> str:
    lines = ['state = "executor"']
    if profile is Profile.FULL:
        home.keep("ledger-url", postgresql.url(home, ports[postgresql.NAME]))
        lines.append('ledger = "file:ledger-url"')
    return "\n".join((*lines, "", store.configuration(home, ports[store.NAME]))).rstrip()
