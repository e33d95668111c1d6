"""Where a server listens: host and port."""

import errno
import random
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from typing import Self

from lakebed.errors import ConfigurationError

_CANDIDATES = range(20_000, 32_000)
"""Below the ports that systems hand to outgoing connections, which could take one again."""
_draw = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Address:
    """`port` 0 stands for any free one."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `HOST:PORT` or `[IPv6]:PORT`; raise ConfigurationError where it is neither."""
        host, _, port = text.rpartition(":")
        bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        bracketed = bare != host
        if not bare or (":" in bare) != bracketed or not (port.isascii() and port.isdecimal()):
            raise ConfigurationError("not an address", subject=text, advice=_EXPECTED)
        if int(port) > 65_535:
            raise ConfigurationError("a port is at most 65535", subject=text, advice=_EXPECTED)
        return cls(bare, int(port))

    def with_free_port(self) -> "Address":
        """This address, with a port that is free now in place of 0.

        Raises ConfigurationError where this machine cannot listen at the host.
        """
        return self if self.port else Address(self.host, free_ports(1, self.host)[0])

    @property
    def reachable(self) -> "Address":
        """The address that a client on this machine connects to."""
        local = {"0.0.0.0": "127.0.0.1", "::": "::1"}
        return Address(local.get(self.host, self.host), self.port)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


_EXPECTED = "write HOST:PORT, as in 127.0.0.1:9000; port 0 takes a free one"


def free_ports(count: int, host: str = "127.0.0.1") -> list[int]:
    """`count` different ports that nobody listens on at this moment.

    Another process may take one before it is used: who starts a server tries again then. Raises
    ConfigurationError where this machine cannot listen at `host`.
    """
    with ExitStack() as held:
        return list(islice(_bindable(host, held), count))


def _bindable(host: str, held: ExitStack) -> Iterator[int]:
    # Asked once: a name that nobody knows would be asked for with each of the candidates.
    family, number = _resolved(host)
    for port in _draw.sample(_CANDIDATES, len(_CANDIDATES)):
        probe = held.enter_context(socket.socket(family))
        try:
            probe.bind((number, port))
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise _unusable(host, error) from None
            continue
        yield port


def _resolved(host: str) -> tuple[socket.AddressFamily, str]:
    """The family and the number of a host; of IPv4 where it has both."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise _unusable(host, error) from None
    family, _, _, _, address = min(found, key=lambda one: one[0] != socket.AF_INET)
    return family, str(address[0])


def _unusable(host: str, error: OSError | UnicodeError) -> ConfigurationError:
    reason = error.strerror if isinstance(error, OSError) else "no host has such a name"
    return ConfigurationError(
        f"cannot listen there: {reason}",
        subject=host,
        advice="give an address of this machine, as 127.0.0.1 or 0.0.0.0",
    )
