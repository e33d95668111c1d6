"""MinIO: one drive, without console, update check or anything that calls home."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from lakebed.local.engines.engine import Launch, Site

VERSION = "v0.0.0-20260212201848-7aac2a2c5b7c"
"""The release that the project is tested with."""


def cached_binary() -> Path:
    """Where `make tools` puts the program."""
    cache = Path(platformdirs.user_cache_dir("lakebed"))
    return cache / "tools" / f"minio-{VERSION}" / "minio"


@dataclass(frozen=True, slots=True)
class Minio:
    name: str = "minio"
    grace: float = 10.0

    def binary(self) -> Path | None:
        on_path = shutil.which("minio")
        if on_path is not None:
            return Path(on_path)
        cached = cached_binary()
        return cached if cached.is_file() else None

    def launch(self, binary: Path, site: Site) -> Launch:
        # Without a folder of its own for certificates it would pick up those of the user's home.
        certificates = site.private / "certs"
        certificates.mkdir(mode=0o700, exist_ok=True)
        return Launch(
            argv=(
                str(binary),
                "server",
                "--quiet",
                f"--address={site.address}",
                f"--certs-dir={certificates}",
                str(site.data),
            ),
            environment={
                "MINIO_ROOT_USER": site.credentials.access_key,
                "MINIO_ROOT_PASSWORD": site.credentials.secret_key,
                "MINIO_BROWSER": "off",
                "MINIO_UPDATE": "off",
                "MINIO_CALLHOME_ENABLE": "off",
            },
        )
