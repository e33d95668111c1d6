"""Where a server listens."""

import socket
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakebed.errors import ConfigurationError
from lakebed.local.address import Address, free_ports

hosts = st.sampled_from(["127.0.0.1", "localhost", "0.0.0.0", "::1", "::", "lake.example"])


@given(st.builds(Address, hosts, st.integers(0, 65_535)))
def test_what_is_written_is_read_back(address: Address) -> None:
    assert Address.parse(str(address)) == address


@pytest.mark.parametrize(
    "text", ["", "9000", ":9000", "127.0.0.1", "127.0.0.1:", "host:x", "host:-1", "::1:9000",
             "[host]:1", "[]:1", "host:99999", "host:٣"],
)  # fmt: skip
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"127\.0\.0\.1:9000"):
        Address.parse(text)


def test_port_zero_becomes_a_free_one() -> None:
    chosen = Address("127.0.0.1", 0).with_free_port()
    with socket.socket() as listener:
        listener.bind((chosen.host, chosen.port))
    assert chosen.port > 0


def test_a_given_port_is_kept() -> None:
    assert Address("127.0.0.1", 9000).with_free_port().port == 9000


def test_free_ports_differ_and_leave_out_those_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        taken = int(listener.getsockname()[1])
        others = free_ports(2)
        drawn = SimpleNamespace(sample=lambda population, k: [taken, *others])
        monkeypatch.setattr("lakebed.local.address._draw", drawn)
        assert free_ports(2) == others
        assert len(set(others)) == 2


@pytest.mark.parametrize(("host", "expected"), [("0.0.0.0", "127.0.0.1"), ("10.1.2.3", "10.1.2.3")])
def test_a_client_on_this_machine_has_an_address_to_connect_to(host: str, expected: str) -> None:
    assert Address(host, 1).reachable == Address(expected, 1)


def test_a_host_that_nobody_knows_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def unknown(host: str, *_: object, **__: object) -> None:
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(ConfigurationError, match=r"nohost\.invalid: .*not known"):
        Address("nohost.invalid", 0).with_free_port()
    assert asked == ["nohost.invalid"]


def test_a_host_of_another_machine_is_refused_at_once() -> None:
    with pytest.raises(ConfigurationError, match=r"192\.0\.2\.1: .*[Cc]annot assign"):
        Address("192.0.2.1", 0).with_free_port()


@pytest.mark.parametrize("host", ["localhost", "0.0.0.0"])
def test_a_host_of_this_machine_has_free_ports(host: str) -> None:
    assert Address(host, 0).with_free_port().host == host
