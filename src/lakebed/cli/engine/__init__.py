"""What does a command's work: the engine in this process, or an executor elsewhere."""

from lakebed.cli.engine.engine import Engine, Shown, StoreShown
from lakebed.cli.engine.open import engine

__all__ = ["Engine", "Shown", "StoreShown", "engine"]
