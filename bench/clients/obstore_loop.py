"""One GET, SHA-256, one PUT per object on obstore: its calls in threads, or its asyncio calls."""

import asyncio
import hashlib
import threading

import obstore
from loop import SMALL, TARGET, Meter, Settings, arguments, share, small_keys
from obstore.store import S3Store


def store(settings: Settings, host: str, bucket: str) -> S3Store:
    return S3Store(
        bucket,
        endpoint=f"http://{host}",
        access_key_id=settings.access_key,
        secret_access_key=settings.secret_key,
        region="us-east-1",
        virtual_hosted_style_request=False,
        unsigned_payload=True,
        client_options={"allow_http": True},
    )


def in_threads(source: S3Store, target: S3Store, keys: list[str], prefix: str, n: int) -> None:
    todo = share(keys)

    def work() -> None:
        for key in todo:
            body = obstore.get(source, key).bytes()
            hashlib.sha256(body).hexdigest()
            obstore.put(target, f"{prefix}/{key}", body, use_multipart=False)

    threads = [threading.Thread(target=work) for _ in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


async def in_tasks(source: S3Store, target: S3Store, keys: list[str], prefix: str, n: int) -> None:
    todo = share(keys)

    async def work() -> None:
        for key in todo:
            body = await (await obstore.get_async(source, key)).bytes_async()
            hashlib.sha256(body).hexdigest()
            await obstore.put_async(target, f"{prefix}/{key}", body, use_multipart=False)

    async with asyncio.TaskGroup() as group:
        for _ in range(n):
            group.create_task(work())


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--tasks", type=int, default=0)
    args = parser.parse_args()
    settings, keys = Settings.from_environment(), small_keys()[: args.limit]
    meter = Meter()
    source, target = (
        store(settings, settings.source, SMALL),
        store(settings, settings.target, TARGET),
    )
    if args.tasks:
        asyncio.run(in_tasks(source, target, keys, args.prefix, args.tasks))
    else:
        in_threads(source, target, keys, args.prefix, args.threads or 16)
    meter.report(len(keys))


if __name__ == "__main__":
    main()
