"""What was measured on, and with: no host names, no paths."""

import os
import platform
from pathlib import Path

from bench.rivals import RIVALS
from lakebed.local.engines import minio


def machine() -> dict[str, str]:
    """Cores, memory, kernel and the stores; each as a short text."""
    return {
        "cores": f"{os.cpu_count()}, {_cpu_model()}",
        "memory": f"{_memory() / 1024**3:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release().partition('-')[0]}",
        "stores": f"two MinIO servers, {minio.VERSION}, one drive each",
    }


def versions() -> dict[str, str]:
    """What each rival on this machine says of itself."""
    found = {name: rival.version() for name, rival in RIVALS.items()}
    return {name: version for name, version in found.items() if version}


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
