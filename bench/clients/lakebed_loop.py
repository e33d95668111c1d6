"""One GET, SHA-256, one PUT per object on Lakebed's own S3 store, retries and all, in threads."""

import hashlib
import threading

from loop import SMALL, TARGET, Meter, Settings, arguments, share, small_keys
from pydantic import SecretStr

from lakebed.settings import StoreSettings
from lakebed.store.build import open_store
from lakebed.store.cancellation import Cancellation
from lakebed.store.contract import Buffer, Store


def store(settings: Settings, host: str) -> Store:
    return open_store(
        StoreSettings(
            name=host,
            endpoint=f"http://{host}",
            access_key=SecretStr(settings.access_key),
            secret_key=SecretStr(settings.secret_key),
        ),
        Cancellation(),
    )


def copy(source: Store, target: Store, keys: list[str], prefix: str, threads: int) -> None:
    todo = share(keys)

    def work() -> None:
        for key in todo:
            pieces: list[bytes] = []
            source.get(SMALL, key, pieces.append)
            digest = hashlib.sha256()
            for piece in pieces:
                digest.update(piece)
            target.put(TARGET, f"{prefix}/{key}", Buffer(pieces))

    started = [threading.Thread(target=work) for _ in range(threads)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--threads", type=int, default=16)
    args = parser.parse_args()
    settings, keys = Settings.from_environment(), small_keys()[: args.limit]
    meter = Meter()
    source, target = store(settings, settings.source), store(settings, settings.target)
    copy(source, target, keys, args.prefix, args.threads)
    meter.report(len(keys))
    source.close()
    target.close()


if __name__ == "__main__":
    main()
