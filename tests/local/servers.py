"""Small programs that stand for a store's server, and an engine that runs them."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lakebed.local.engines.engine import Launch, Site

ANSWERING = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()
    do_PUT = do_GET
    def log_message(self, *arguments): pass
host, port = sys.argv[1:3]
http.server.HTTPServer((host, int(port)), Handler).serve_forever()
"""

REFUSING_BUCKETS = ANSWERING.replace("do_PUT = do_GET", "")

PORT_TAKEN = "print('listen tcp: bind: address already in use'); raise SystemExit(1)"

TAKEN_ONCE = (
    "import pathlib, sys\nmark = pathlib.Path(sys.argv[3], 'tried')\n"
    f"if not mark.exists():\n    mark.touch()\n    {PORT_TAKEN}\n{ANSWERING}"
)

TELLING_SECRETS = "import os; print('secret is', os.environ['SECRET']); raise SystemExit(7)"

DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + ANSWERING

SILENT = "import signal; signal.pause()"


@dataclass(frozen=True, slots=True)
class Scripted:
    """An engine whose server is a Python script: it is given host, port and data folder."""

    script: str = ANSWERING
    name: str = "scripted"
    grace: float = 10.0
    environment: Mapping[str, str] = field(default_factory=dict)
    residue: tuple[Path, ...] = ()
    present: bool = True

    def binary(self) -> Path | None:
        return Path(sys.executable) if self.present else None

    def launch(self, binary: Path, site: Site) -> Launch:
        address = site.address
        arguments = ("-c", self.script, address.host, str(address.port), str(site.data))
        secrets = {"SECRET": site.credentials.secret_key}
        return Launch((str(binary), *arguments), {**self.environment, **secrets}, self.residue)
