"""What every loop of this benchmark shares: endpoints, keys, SigV4 and the line of figures."""

import argparse
import functools
import hashlib
import hmac
import json
import os
import random
import resource
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

REGION = "us-east-1"
SMALL, LARGE, TARGET = "small", "large", "target"
ARCHIVES = 5_000
LARGE_OBJECTS, LARGE_SIZE = 8, 256 << 20


@dataclass(frozen=True)
class Settings:
    """Where the two stores are; run.py hands this on through the environment."""

    source: str
    target: str
    access_key: str
    secret_key: str

    @classmethod
    def from_environment(cls) -> "Settings":
        e = os.environ
        return cls(
            e["BENCH_SOURCE"], e["BENCH_TARGET"], e["AWS_ACCESS_KEY_ID"], e["AWS_SECRET_ACCESS_KEY"]
        )


def small_keys() -> list[str]:
    """10,000 keys: each archive is followed by its 91-byte CHECKSUM."""
    keys = []
    for i in range(ARCHIVES):
        symbol = f"S{i % 250:03d}USDT"
        day = f"{2021 + i // 1250}-{i // 250 % 5 + 1:02d}"
        name = f"data/spot/monthly/klines/{symbol}/1m/{symbol}-1m-{day}.zip"
        keys += [name, f"{name}.CHECKSUM"]
    return keys


def small_objects() -> Iterator[tuple[str, bytes]]:
    """The keys with their bodies: log-uniform from 1 to 100 KB, the same on every run."""
    rng = random.Random(20260212)
    for key in small_keys():
        yield key, rng.randbytes(91 if key.endswith("CHECKSUM") else int(10 ** rng.uniform(3, 5)))


def large_keys() -> list[str]:
    return [f"data/large/{i:02d}.zip" for i in range(LARGE_OBJECTS)]


def path_of(bucket: str, key: str) -> str:
    return f"/{bucket}/{quote(key)}"


@functools.lru_cache(maxsize=8)
def _signing_key(secret: str, day: str) -> bytes:
    key = b"AWS4" + secret.encode()
    for part in (day, REGION, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def sign(
    settings: Settings,
    method: str,
    host: str,
    path: str,
    query: str = "",
    extra: Iterable[tuple[str, str]] = (),
) -> dict[str, str]:
    """SigV4 with UNSIGNED-PAYLOAD; path and query are already encoded, query in order."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    headers = sorted(
        [
            ("host", host),
            ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
            ("x-amz-date", stamp),
            *extra,
        ]
    )
    names = ";".join(name for name, _ in headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers)
    request = f"{method}\n{path}\n{query}\n{lines}\n{names}\nUNSIGNED-PAYLOAD"
    scope = f"{stamp[:8]}/{REGION}/s3/aws4_request"
    digest = hashlib.sha256(request.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
    key = _signing_key(settings.secret_key, stamp[:8])
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    signed = dict(headers[1:]) if headers[0][0] == "host" else dict(headers)
    signed.pop("host", None)
    signed["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={settings.access_key}/{scope}, "
        f"SignedHeaders={names}, Signature={signature}"
    )
    return signed


def arguments(description: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--prefix", required=True, help="prefix of the copies in the target bucket")
    parser.add_argument("--limit", type=int, default=2 * ARCHIVES, help="objects to copy")
    return parser


def _peak_rss_mib(status: Path = Path("/proc/self/status")) -> int:
    """VmHWM, since ru_maxrss is inherited from the process that started this one."""
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
    return int(line.split()[1]) >> 10


class Meter:
    """Wall, CPU of this process and peak RSS, from here to report()."""

    def __init__(self) -> None:
        self._usage = resource.getrusage(resource.RUSAGE_SELF)
        self._start = time.perf_counter()

    def report(self, objects: int, **more: object) -> None:
        wall = time.perf_counter() - self._start
        now = resource.getrusage(resource.RUSAGE_SELF)
        user = now.ru_utime - self._usage.ru_utime
        system = now.ru_stime - self._usage.ru_stime
        switches = now.ru_nvcsw - self._usage.ru_nvcsw + now.ru_nivcsw - self._usage.ru_nivcsw
        figures = {
            "objects": objects,
            "wall": round(wall, 3),
            "cpu": round(user + system, 3),
            "user": round(user, 3),
            "sys": round(system, 3),
            "switches": switches,
            "rss_mib": _peak_rss_mib(),
            **more,
        }
        print(json.dumps(figures), flush=True)


def share(keys: Sequence[str]) -> Iterator[str]:
    """One iterator for many workers: next() on a list iterator is atomic in CPython."""
    return iter(keys)
