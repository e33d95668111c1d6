"""The object stores that can be embedded, best first. Each file is one engine, of one shape."""

from lakebed.errors import ConfigurationError
from lakebed.local.engines.engine import Engine
from lakebed.local.engines.minio import Minio
from lakebed.local.engines.seaweedfs import Seaweedfs

ENGINES: tuple[Engine, ...] = (Minio(), Seaweedfs())
NAMES = tuple(engine.name for engine in ENGINES)


def choose(name: str | None) -> Engine:
    """The engine called `name`, or the best one that is present. Raises ConfigurationError."""
    known = [engine.name for engine in ENGINES]
    if name is not None and name not in known:
        raise ConfigurationError(
            "no such engine", subject=name, advice=f"one of {', '.join(known)}"
        )
    for engine in ENGINES:
        if name in (None, engine.name) and engine.binary() is not None:
            return engine
    raise ConfigurationError(
        f"no {name or 'object store'} binary is present",
        subject="embedded store",
        advice="install lakebed[embedded], or run `make tools` where Go is present",
    )
