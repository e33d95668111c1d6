"""What the stores have spent so far: CPU of their processes, requests by kind."""

import http.client
import os
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from bench.stores import Server

_METRICS = "/minio/metrics/v3/api/requests"
"""Read afresh each time; the older /minio/v2/metrics keeps its figures for ten seconds."""
_LINE = re.compile(r'^minio_api_requests_total\{name="(\w+)",.*\} (\S+)$', re.MULTILINE)
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU in seconds, user and system; requests by the name that MinIO gives to the call."""

    cpu: float
    requests: Counter[str]

    @classmethod
    def by(cls, server: Server) -> Self:
        """What `server` has spent since it was started."""
        return cls(_cpu_of(server.pid), _requests(server.endpoint))

    def since(self, before: Self) -> Self:
        return type(self)(self.cpu - before.cpu, self.requests - before.requests)


def _cpu_of(pid: int) -> float:
    # The second field, a name in brackets, may hold blanks: count from behind it.
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(") ")[2].split()
    user, system = int(stat[11]), int(stat[12])
    return (user + system) / _TICK


def _requests(endpoint: str) -> Counter[str]:
    connection = http.client.HTTPConnection(urlsplit(endpoint).netloc, timeout=30)
    try:
        connection.request("GET", _METRICS)
        text = connection.getresponse().read().decode()
    finally:
        connection.close()
    return Counter({name: int(float(count)) for name, count in _LINE.findall(text)})
