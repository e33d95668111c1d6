"""What an S3 store must do beyond the contract: refuse the wrong caller, and say so."""

import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from lakebed.errors import CredentialsRefused, StoreUnreachable
from lakebed.store.contract import Store
from tests.fixtures_stores import Served
from tests.store.conformance import StoreConformance
from tests.store.served import open_served, with_unknown_key, with_wrong_secret


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that is ours and on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


class S3StoreConformance(StoreConformance):
    """The contract, and the errors of a server's door. Needs a fixture `served` as well."""

    def test_a_wrong_secret_is_refused_as_such(
        self, store: Store, bucket: str, served: Served
    ) -> None:
        self.need("signatures")
        wrong = with_wrong_secret(served)
        with (
            closing(open_served(wrong)) as stranger,
            pytest.raises(CredentialsRefused) as refused,
        ):
            stranger.list_page(bucket)
        assert wrong.secret_key not in str(refused.value)

    def test_an_unknown_access_key_is_refused_as_such(
        self, store: Store, bucket: str, served: Served
    ) -> None:
        self.need("signatures")
        with (
            closing(open_served(with_unknown_key(served))) as stranger,
            pytest.raises(CredentialsRefused),
        ):
            stranger.list_page(bucket)

    def test_a_refused_connection_names_the_store(self, served: Served, closed_port: int) -> None:
        nowhere = replace(served, endpoint=f"http://127.0.0.1:{closed_port}")
        with (
            closing(open_served(nowhere)) as store,
            pytest.raises(StoreUnreachable, match=f"{served.engine}.*{closed_port}"),
        ):
            store.list_page("conformance")
