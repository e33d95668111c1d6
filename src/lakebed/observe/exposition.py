"""How metrics leave a process: served while it runs, or written into a file at its end."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry, start_http_server, write_to_textfile

from lakebed.errors import ConfigurationError

_log = logging.getLogger(__name__)


@contextmanager
def served(registry: CollectorRegistry, address: str) -> Iterator[int]:
    """Serve `/metrics` at HOST:PORT for the scope; the port, which is a free one for 0.

    Raises ConfigurationError where the address cannot be read or is taken.
    """
    host, port = _host_and_port(address)
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        raise ConfigurationError(
            f"metrics cannot be served here: {error.strerror}",
            subject=address,
            advice="is another process there? Choose another port with --metrics-listen",
        ) from None
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def written(registry: CollectorRegistry, path: Path) -> Iterator[None]:
    """Write the metrics as they are when the scope ends, whole or not at all.

    Raises ConfigurationError where that could not be done now. At the end it is only logged: the
    work is done, whatever becomes of its figures.
    """
    # Another file is put in its place, which a device must not lose.
    is_other = path.exists() and not path.is_file()
    if is_other or not os.access(path.parent, os.W_OK):
        raise ConfigurationError(
            "metrics cannot be written here",
            subject=str(path),
            advice="name a file, in a folder that is there and can be written",
        )
    try:
        yield
    finally:
        try:
            write_to_textfile(str(path), registry)
        except OSError as error:
            _log.error("the metrics could not be written to %s: %s", path, error.strerror)


def _host_and_port(address: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{address}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if host is None or port is None:
        raise ConfigurationError(
            "not an address to listen at", subject=address, advice="write 127.0.0.1:9464"
        )
    return host, port
