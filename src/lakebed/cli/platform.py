"""The platform itself, imported only where a command needs it."""

from typing import TYPE_CHECKING

from lakebed.observe.telemetry import UNOBSERVED, Observer
from lakebed.settings import Settings
from lakebed.store.cancellation import Cancellation

if TYPE_CHECKING:
    from lakebed.operations.run import Platform


def open_platform(
    settings: Settings, cancellation: Cancellation, observer: Observer = UNOBSERVED
) -> "Platform":
    from lakebed.operations.run import Platform

    return Platform(settings, cancellation, observer)
