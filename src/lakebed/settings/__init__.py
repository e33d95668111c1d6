"""What the user configured: one frozen value, read once, from a file and the environment."""

from lakebed.settings.load import load
from lakebed.settings.root import Settings
from lakebed.settings.store import StoreSettings, Timeouts

__all__ = ["Settings", "StoreSettings", "Timeouts", "load"]
