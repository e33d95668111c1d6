"""Which engine a command works with: that of this process, or the one that an option names."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields

from lakebed.cli.engine.engine import Engine
from lakebed.cli.engine.local import Local
from lakebed.cli.options import Common, Network, Observe, Remote
from lakebed.cli.session import session, settings_of, stoppable
from lakebed.errors import UsageError


@contextmanager
def engine(
    common: Common,
    remote: Remote,
    network: Network | None = None,
    observe: Observe | None = None,
) -> Iterator[Engine]:
    """For as long as the command uses it; an error of ours leaves as a line and its exit code."""
    if remote.executor is None:
        with session(common, network, observe) as opened:
            yield Local(opened.platform)
        return
    _refuse(observe)
    settings_of(common)
    with stoppable(common) as (cancellation, _signals):
        from lakebed.cli.engine.remote import connected

        with connected(remote.executor, cancellation, network) as elsewhere:
            yield elsewhere


def _refuse(observe: Observe | None) -> None:
    """What would tell of an engine that is not here."""
    for option in fields(Observe):
        if observe is not None and getattr(observe, option.name) is not None:
            name = f"--{option.name.replace('_', '-')}"
            what = f"{name} with --executor: it is not this process that moves objects"
            raise UsageError(what, advice="ask the executor's /metrics")
