"""One GET, SHA-256, one PUT per object on aiohttp with uvloop and our own SigV4."""

import asyncio
import hashlib

import aiohttp
import uvloop
from loop import SMALL, TARGET, Meter, Settings, arguments, path_of, share, sign, small_keys
from yarl import URL


async def copy(settings: Settings, keys: list[str], prefix: str, tasks: int) -> int:
    todo, failures = share(keys), []
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as session:

        async def work() -> None:
            for key in todo:
                path = path_of(SMALL, key)
                url = URL(f"http://{settings.source}{path}", encoded=True)
                headers = sign(settings, "GET", settings.source, path)
                async with session.get(url, headers=headers) as got:
                    body = await got.read()
                hashlib.sha256(body).hexdigest()
                path = path_of(TARGET, f"{prefix}/{key}")
                url = URL(f"http://{settings.target}{path}", encoded=True)
                headers = sign(settings, "PUT", settings.target, path)
                async with session.put(url, headers=headers, data=body) as put:
                    await put.read()
                if (got.status, put.status) != (200, 200):
                    failures.append(key)

        async with asyncio.TaskGroup() as group:
            for _ in range(tasks):
                group.create_task(work())
    return len(keys) - len(failures)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--tasks", type=int, default=32)
    args = parser.parse_args()
    settings, keys = Settings.from_environment(), small_keys()[: args.limit]
    meter = Meter()
    meter.report(uvloop.run(copy(settings, keys, args.prefix, args.tasks)))


if __name__ == "__main__":
    main()
