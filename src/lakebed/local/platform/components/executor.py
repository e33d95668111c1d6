"""The executor, with the platform's own configuration."""

import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

from lakebed import __version__
from lakebed.local.platform.component import Component
from lakebed.local.platform.home import Home

NAME, PORT = "executor", 8080
GRACE = 40.0
"""Above what it lets its operations have, and what it needs to hand them over."""


def component(home: Home, port: int) -> Component:
    address = home.address(port)
    command = Path(sys.executable).with_name("lakebed")
    ours = ("PATH", "HOME", "TMPDIR", "LANG")
    return Component(
        NAME,
        version=__version__,
        url=f"http://{address}",
        argv=(
            str(command),
            *("executor", "serve", "--host", address.host, "--port", str(port)),
            *("--config", str(home.path / "lakebed.toml")),
        ),
        environment={name: os.environ[name] for name in ours if name in os.environ},
        is_ready=lambda: _is_ready(f"http://{address}/ready"),
        grace=GRACE,
    )


def _is_ready(url: str) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False
