"""The object store that holds the lake: MinIO where it is present, else SeaweedFS."""

import json
import os
from http import HTTPStatus

from lakebed.errors import ConfigurationError, StoreError
from lakebed.local import engines
from lakebed.local.engines.engine import Site
from lakebed.local.folder import Folder
from lakebed.local.knock import knock
from lakebed.local.platform.component import Component
from lakebed.local.platform.home import Home
from lakebed.store.s3.credentials import Credentials

NAME, PORT = "store", 9000
BUCKETS = ("bronze", "silver", "gold", "artifacts", "backup")
"""The zones of the lake."""
_MADE = (HTTPStatus.OK, HTTPStatus.CONFLICT)


def component(home: Home, port: int) -> Component:
    """Raises ConfigurationError where no engine is present, or the folder is another's."""
    folder = Folder.claim(home.folder(NAME))
    engine = engines.choose(folder.engine)
    folder.adopt(engine.name)
    credentials, address = Credentials(*folder.identity()), home.address(port)
    binary = engine.binary()
    if binary is None:
        raise ConfigurationError("its program is gone", subject=engine.name)
    site = Site(folder.subfolder("data"), folder.subfolder("private"), address, credentials)
    launch = engine.launch(binary, site)

    def is_ready() -> bool:
        return knock(address, credentials, "GET", "/") == HTTPStatus.OK and launch.is_ready()

    def settle() -> None:
        for bucket in BUCKETS:
            status = knock(address, credentials, "PUT", f"/{bucket}")
            if status not in _MADE:
                raise StoreError(f"the bucket cannot be made (status {status})", subject=bucket)

    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return Component(
        NAME,
        version=engine.name,
        url=f"http://{address}",
        argv=launch.argv,
        environment=kept | dict(launch.environment),
        is_ready=is_ready,
        settle=settle,
        grace=engine.grace,
    )


def configuration(home: Home, port: int) -> str:
    """Its lines of the platform's lakebed.toml."""
    fields = {
        "endpoint": f"http://{home.address(port)}",
        "access_key": f"file:{NAME}/access-key",
        "secret_key": f"file:{NAME}/secret-key",
    }
    lines = (f"{key} = {json.dumps(value)}" for key, value in fields.items())
    return "\n".join(("[stores.lake]", *lines, "default = true", ""))
