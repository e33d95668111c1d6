"""Lakebed moves archives from any S3 endpoint to any other, proves every object, remembers it.

summary = await lakebed.sync("binance:data.binance.vision/data/spot/", "lake:bronze/binance/")
"""

from typing import TYPE_CHECKING

__version__ = "0.1.0"
__all__ = [
    "Client",
    "Location",
    "Options",
    "Summary",
    "cancel",
    "ls",
    "plan",
    "quarantine_list",
    "quarantine_release",
    "report_of",
    "resume",
    "sync",
    "verify",
]

if TYPE_CHECKING:
    from lakebed.api.client import Client
    from lakebed.library import (
        cancel,
        ls,
        plan,
        quarantine_list,
        quarantine_release,
        report_of,
        resume,
        sync,
        verify,
    )
    from lakebed.model.location import Location
    from lakebed.model.operation import Options, Summary


_HOMES = {
    "Client": "lakebed.api.client",
    "Location": "lakebed.model.location",
    "Options": "lakebed.model.operation",
    "Summary": "lakebed.model.operation",
}
"""Modules of what is not in `lakebed.library`."""


def __getattr__(name: str) -> object:
    """Imported when first used: the command line must not wait for the engine to say --help."""
    from importlib import import_module

    if name not in __all__:
        raise AttributeError(f"module 'lakebed' has no attribute {name!r}")
    found: object = getattr(import_module(_HOMES.get(name, "lakebed.library")), name)
    return found


def __dir__() -> list[str]:
    """What is there to be used, also before it is imported."""
    return sorted({*globals(), *__all__})
