"""Lakebed moves archives from any S3 endpoint to any other, proves every object, remembers it.

summary = await lakebed.sync("binance:data.binance.vision/data/spot/", "lake:bronze/binance/")
"""

from typing import TYPE_CHECKING

__version__ = "0.1.0"
__all__ = [
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


def __getattr__(name: str) -> object:
    """Imported when first used: the command line must not wait for the engine to say --help."""
    from importlib import import_module

    for module in ("lakebed.library", "lakebed.model.operation", "lakebed.model.location"):
        if name in __all__ and hasattr(import_module(module), name):
            return getattr(import_module(module), name)
    raise AttributeError(f"module 'lakebed' has no attribute {name!r}")


def __dir__() -> list[str]:
    """What is there to be used, also before it is imported."""
    return sorted({*globals(), *__all__})
