"""Starts two MinIO servers, makes the data, runs the loops in turn and prints the figures."""

import argparse
import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

from libcurl_loop import Client
from loop import (
    LARGE,
    LARGE_SIZE,
    SMALL,
    TARGET,
    Settings,
    large_keys,
    path_of,
    small_objects,
)

from lakebed.local.engines import choose

HERE = Path(__file__).resolve().parent
LIBCURL, LARGE_LOOP = "libcurl_loop.py", "libcurl_large.py"
Suite = dict[str, list[str]]


def _large(mode: str, part: int, md5: bool, *more: str) -> list[str]:
    flag = "--md5" if md5 else "--no-md5"
    return [LARGE_LOOP, "--mode", mode, "--part-mib", str(part), flag, *more]


BARE = ["--handles", "persistent", "--headers", "none", "--sink", "bytesio", "--progress", "off"]
CHOSEN = ["--batch-kib", "256", "--queue", "4", "--buffer", "524288"]
SUITES: dict[str, Suite] = {
    "clients": {
        **{f"libcurl, {n} threads": [LIBCURL, "--threads", str(n)] for n in (4, 8, 16, 32)},
        "libcurl, 16 threads, no headers, no hook": [LIBCURL, *BARE],
        "lakebed's own store, 16 threads": ["lakebed_loop.py", "--threads", "16"],
        "obstore sync, 16 threads": ["obstore_loop.py", "--threads", "16"],
        "obstore asyncio, 64 tasks": ["obstore_loop.py", "--tasks", "64"],
        "aiohttp + uvloop, 32 tasks": ["aiohttp_loop.py", "--tasks", "32"],
    },
    "details": {
        "base: pool, lists, POSTFIELDS, hook": [LIBCURL],
        "persistent handle per thread": [LIBCURL, "--handles", "persistent"],
        "no HEADERFUNCTION": [LIBCURL, "--headers", "none"],
        "WRITEDATA=BytesIO": [LIBCURL, "--sink", "bytesio"],
        "PUT by READFUNCTION": [LIBCURL, "--body", "readfunction"],
        "no XFERINFOFUNCTION": [LIBCURL, "--progress", "off"],
        "buffers 512 KiB": [LIBCURL, "--buffer", str(512 << 10)],
    },
    "pipe": {
        "streamed 16 MiB, queue of 8 bare chunks": _large("streamed", 16, True),
        "same, buffers 512 KiB": _large("streamed", 16, True, "--buffer", "524288"),
        "same, 64 bare chunks": _large("streamed", 16, True, "--buffer", "524288", "--queue", "64"),
        "same, joined to 256 KiB, queue of 4": _large("streamed", 16, True, *CHOSEN),
        "same, joined to 1 MiB, queue of 4": _large(
            "streamed", 16, True, *CHOSEN, "--batch-kib", "1024"
        ),
        "same, 1 MiB, no XFERINFOFUNCTION": _large(
            "streamed", 16, True, *CHOSEN, "--batch-kib", "1024", "--progress", "off"
        ),
        "buffered 16 MiB, READFUNCTION": _large("buffered", 16, True, "--body", "readfunction"),
        "buffered 16 MiB, POSTFIELDS": _large("buffered", 16, True),
    },
    "large": {
        f"{mode} {part} MiB, {'SHA-256 + MD5' if md5 else 'SHA-256'}": _large(
            mode, part, md5, *(CHOSEN if mode == "streamed" else ["--buffer", "524288"])
        )
        for mode in ("streamed", "buffered")
        for part in (16, 32, 64)
        for md5 in (True, False)
        if md5 or part == 16
    },
}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(host: str, seconds: float = 30) -> None:
    name, _, port = host.partition(":")
    end = time.monotonic() + seconds
    while True:
        try:
            with socket.create_connection((name, int(port)), timeout=1) as probe:
                probe.sendall(b"GET /minio/health/cluster HTTP/1.0\r\n\r\n")
                if b" 200 " in probe.recv(64):
                    return
        except OSError:
            pass
        if time.monotonic() > end:
            raise SystemExit(f"MinIO did not start on {host}")
        time.sleep(0.1)


@contextlib.contextmanager
def stores(minio: str, root: Path) -> Iterator[Settings]:
    """Two MinIO servers on free loopback ports, stopped by their own pids at the end."""
    access, secret = "bench", secrets.token_hex(16)
    environment = os.environ | {
        "MINIO_ROOT_USER": access,
        "MINIO_ROOT_PASSWORD": secret,
        "MINIO_BROWSER": "off",
        "MINIO_CI_CD": "1",
    }
    hosts, running = [], []
    try:
        for name in ("source", "target"):
            hosts.append(f"127.0.0.1:{_free_port()}")
            command = [minio, "server", "--quiet", "--address", hosts[-1], str(root / name)]
            log = (root / f"{name}.log").open("wb")
            running.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
        for host in hosts:
            _wait_for(host)
        yield Settings(hosts[0], hosts[1], access, secret)
    finally:
        for process in running:
            process.send_signal(signal.SIGTERM)
        for process in running:
            process.wait(30)


def _expect(client: Client, method: str, path: str, body: bytes | None = None) -> None:
    answer = client.request(method, path, body=body)
    if answer.status != 200:
        raise SystemExit(f"{method} {path}: {answer.status} {answer.body[:200]!r}")


def make_data(settings: Settings, small: bool, large: bool) -> None:
    source, target = Client(settings, settings.source), Client(settings, settings.target)
    for client, bucket in ((source, SMALL), (source, LARGE), (target, TARGET)):
        _expect(client, "PUT", f"/{bucket}", b"")
    with ThreadPoolExecutor(8) as pool:
        for done in [
            pool.submit(_expect, source, "PUT", path_of(SMALL, key), body)
            for key, body in (small_objects() if small else ())
        ]:
            done.result()
    for key in large_keys() if large else []:
        _expect(source, "PUT", path_of(LARGE, key), os.urandom(LARGE_SIZE))


def etags(client: Client, bucket: str, prefix: str = "") -> dict[str, str]:
    """Every key under the prefix with its ETag: the proof that a loop copied what it says."""
    found: dict[str, str] = {}
    token: str | None = None
    while True:
        query = f"prefix={quote(prefix, safe='')}"
        more = f"continuation-token={quote(token, safe='')}&" if token else ""
        answer = client.request("GET", f"/{bucket}", f"{more}list-type=2&{query}")
        if answer.status != 200:
            raise SystemExit(f"list {bucket}: {answer.status}")
        page = ET.fromstring(answer.body)
        space = page.tag.partition("}")[0] + "}"
        for entry in page.iter(f"{space}Contents"):
            key = entry.findtext(f"{space}Key") or ""
            found[key[len(prefix) :]] = entry.findtext(f"{space}ETag") or ""
        token = page.findtext(f"{space}NextContinuationToken")
        if not token:
            return found


def one(command: list[str], prefix: str, settings: Settings) -> dict[str, Any]:
    environment = os.environ | {
        "BENCH_SOURCE": settings.source,
        "BENCH_TARGET": settings.target,
        "AWS_ACCESS_KEY_ID": settings.access_key,
        "AWS_SECRET_ACCESS_KEY": settings.secret_key,
    }
    line = [sys.executable, str(HERE / command[0]), *command[1:], "--prefix", prefix]
    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    figures: dict[str, Any] = json.loads(lines[-1]) if lines else {"objects": 0}
    if not lines:
        print(done.stderr[-2000:], file=sys.stderr)
    return figures | {"exit": done.returncode}


def table(suite: Suite, runs: dict[str, list[dict[str, Any]]]) -> None:
    print("| variant | client CPU s | user | sys | wall s | peak RSS MiB | switches | runs |")
    print("|---|---|---|---|---|---|---|---|")
    for name in suite:
        good = [r for r in runs[name] if "cpu" in r]

        def middle(what: str, digits: int = 2, good: list[dict[str, Any]] = good) -> str:
            values = [r[what] for r in good]
            low, high = f"{min(values):.{digits}f}", f"{max(values):.{digits}f}"
            return f"{statistics.median(values):.{digits}f} ({low} to {high})"

        if not good:
            print(f"| {name} | failed |")
            continue
        user, system = (statistics.median(r[w] for r in good) for w in ("user", "sys"))
        switches = statistics.median(r["switches"] for r in good)
        print(
            f"| {name} | {middle('cpu')} | {user:.2f} | {system:.2f} | {middle('wall', 1)} "
            f"| {middle('rss_mib', 0)} | {switches:.0f} | {len(good)} |"
        )


def run_suite(
    name: str, suite: Suite, repeats: int, settings: Settings, root: Path, raw: Path | None
) -> None:
    runs: dict[str, list[dict[str, Any]]] = {variant: [] for variant in suite}
    source, target = Client(settings, settings.source), Client(settings, settings.target)
    wanted = etags(source, SMALL)
    for turn in range(repeats):
        names = list(suite)
        for variant in names[turn % len(names) :] + names[: turn % len(names)]:
            prefix = f"run-{name}-{turn}-{names.index(variant)}"
            figures = one(suite[variant], prefix, settings)
            copied = etags(target, TARGET, f"{prefix}/")
            is_large = suite[variant][0] == LARGE_LOOP
            proved = len(copied) == len(large_keys()) if is_large else copied == wanted
            print(f"# {name}: {variant}: {json.dumps(figures | {'proved': proved})}", flush=True)
            if proved and figures["exit"] == 0 and figures["objects"] == len(copied):
                runs[variant].append(figures)
            if raw:
                with raw.open("a") as out:
                    record = {"suite": name, "variant": variant, "turn": turn, "proved": proved}
                    out.write(json.dumps(record | figures) + "\n")
            shutil.rmtree(root / "target" / TARGET / prefix, ignore_errors=True)
    print(f"\n## {name}\n")
    table(suite, runs)


def exit_statuses(repeats: int, settings: Settings, root: Path) -> None:
    """Short runs of 200 objects: the process's exit status after all the work is done."""
    names = {
        "libcurl, 16 threads": [LIBCURL, "--threads", "16"],
        "obstore sync, 16 threads": ["obstore_loop.py", "--threads", "16"],
        "obstore asyncio, 64 tasks": ["obstore_loop.py", "--tasks", "64"],
        "aiohttp + uvloop, 32 tasks": ["aiohttp_loop.py", "--tasks", "32"],
    }
    seen: dict[str, list[int]] = {name: [] for name in names}
    for turn in range(repeats):
        for i, (name, command) in enumerate(names.items()):
            prefix = f"exit-{turn}-{i}"
            figures = one([*command, "--limit", "200"], prefix, settings)
            if figures["objects"] != 200:
                raise SystemExit(f"{name}: {figures}")
            seen[name].append(figures["exit"])
            shutil.rmtree(root / "target" / TARGET / prefix, ignore_errors=True)
    print("\n## exit status after all objects were copied\n")
    print("| client | runs | not 0 | statuses |\n|---|---|---|---|")
    for name, statuses in seen.items():
        bad = [status for status in statuses if status]
        print(f"| {name} | {len(statuses)} | {len(bad)} | {sorted(set(bad)) or '0'} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minio", help="the MinIO binary (default: on the PATH, or of make tools)")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", default="", help="the variants whose name this pattern finds")
    parser.add_argument("--exit-runs", type=int, default=50)
    parser.add_argument("--data", type=Path, help="where the stores keep their data")
    parser.add_argument("--raw", type=Path, help="append each run as a JSON line")
    choices = [*SUITES, "exit", "behaviours"]
    parser.add_argument("suites", nargs="*", choices=choices, default=choices)
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the stores are stopped
    found = shutil.which(args.minio) if args.minio else choose("minio").binary()
    if found is None:
        raise SystemExit(f"no MinIO at {args.minio}")
    minio = str(found)
    with tempfile.TemporaryDirectory(prefix="bench-clients-", dir=args.data) as folder:
        root = Path(folder)
        with stores(minio, root) as settings:
            chosen = set(args.suites)
            make_data(
                settings, small=chosen != {"behaviours"}, large=bool({"large", "pipe"} & chosen)
            )
            for suite in args.suites:
                if suite in SUITES:
                    chosen_ones = {
                        k: v for k, v in SUITES[suite].items() if re.search(args.only, k)
                    }
                    run_suite(suite, chosen_ones, args.repeats, settings, root, args.raw)
                elif suite == "exit":
                    exit_statuses(args.exit_runs, settings, root)
                else:
                    subprocess.run(
                        [sys.executable, str(HERE / "behaviours.py")],
                        env=os.environ
                        | {
                            "BENCH_SOURCE": settings.source,
                            "BENCH_TARGET": settings.target,
                            "AWS_ACCESS_KEY_ID": settings.access_key,
                            "AWS_SECRET_ACCESS_KEY": settings.secret_key,
                        },
                        check=False,
                    )


if __name__ == "__main__":
    main()
