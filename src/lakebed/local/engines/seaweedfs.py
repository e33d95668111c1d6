"""SeaweedFS: master, volume, filer and S3 gateway in one process, from the package index.

Only the gateway listens where the caller said. The other parts listen on loopback and refuse
HTTP requests that the gateway did not sign; their gRPC ports are open to users of this machine.
"""

import http.client
import json
import os
import secrets
import shutil
import sysconfig
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lakebed.local.address import free_ports
from lakebed.local.engines.engine import Launch, Site

_PARTS = ("master", "volume", "filer", "s3")
_INTERNAL_KEYS = ("SIGNING", "SIGNING_READ", "FILER_SIGNING", "FILER_SIGNING_READ")
"""Made for each start: with them the parts know each other."""
_SOCKETS = Path("/tmp")
"""Where the server puts its Unix sockets, whatever TMPDIR says."""


@dataclass(frozen=True, slots=True)
class Seaweedfs:
    name: str = "seaweedfs"
    # It waits 15 s for its own subscribers when asked to end; what it acknowledged is written.
    grace: float = 1.0

    def binary(self) -> Path | None:
        found = shutil.which("weed", path=sysconfig.get_path("scripts")) or shutil.which("weed")
        return Path(found) if found else None

    def launch(self, binary: Path, site: Site) -> Launch:
        free = iter(free_ports(2 * len(_PARTS) - 1))
        ports = {part: next(free) for part in _PARTS[:-1]} | {"s3": site.address.port}
        grpc = {part: next(free) for part in _PARTS}
        options = {
            "dir": site.data,
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            **{f"{part}.port": port for part, port in ports.items()},
            **{f"{part}.port.grpc": port for part, port in grpc.items()},
            "master.telemetry": "false",
            "master.volumeSizeLimitMB": 1024,
            "volume.max": 10_000,
            "volume.preStopSeconds": 0,
            "filer": "true",
            "s3": "true",
            "s3.ip.bind": site.address.host,
            "s3.config": _identities(site),
            "s3.iam": "false",
            "s3.autoCreateBucket": "false",
            "s3.allowDeleteBucketNotEmpty": "false",
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
        }
        return Launch(
            argv=(
                str(binary),
                "-logtostderr=true",
                "server",
                *(f"-{name}={value}" for name, value in options.items()),
            ),
            environment={f"WEED_JWT_{name}_KEY": secrets.token_hex(32) for name in _INTERNAL_KEYS},
            residue=(
                *(_SOCKETS / f"seaweedfs-{part}-grpc-{port}.sock" for part, port in grpc.items()),
                *(_SOCKETS / f"seaweedfs-{part}-{port}.sock" for part, port in ports.items()),
            ),
            is_ready=partial(_has_volumes, ports["master"]),
        )


def _has_volumes(master: int) -> bool:
    """Whether the volume server has told the master what it holds.

    Its first word is refused where the master has no leader yet, and the next one comes seconds
    later: until then the gateway answers, and each object is an internal error.
    """
    try:
        with closing(http.client.HTTPConnection("127.0.0.1", master, timeout=5)) as connection:
            connection.request("GET", "/dir/status")
            status = json.load(connection.getresponse())
        return bool(status["Topology"]["Max"])
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        return False


def _identities(site: Site) -> Path:
    """The gateway's file of who may do what: our one identity, and nobody else."""
    path = site.private / "identities.json"
    ours = site.credentials
    keys = {"accessKey": ours.access_key, "secretKey": ours.secret_key}
    identity = {"name": "lakebed", "credentials": [keys], "actions": ["Admin"]}
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({"identities": [identity]}, file)
    return path
