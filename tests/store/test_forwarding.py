"""A wrapper that changes nothing is the store it wraps."""

import pytest

from lakebed.store.contract import Store
from lakebed.store.memory import MemoryStore
from lakebed.store.wrappers.forwarding import Forwarding
from tests.faults import Faulty
from tests.store.conformance import StoreConformance


@pytest.fixture(scope="module", params=[Forwarding, Faulty])
def store(request: pytest.FixtureRequest) -> Store:
    wrapped: Store = request.param(MemoryStore())
    return wrapped


class TestForwarding(StoreConformance):
    def test_it_goes_by_the_name_of_what_it_wraps(self, store: Store) -> None:
        assert store.name == "memory"
        assert store.properties == MemoryStore().properties

    def test_it_is_closed_with_what_it_wraps(self) -> None:
        closed: list[str] = []

        class Closing(MemoryStore):
            def close(self) -> None:
                closed.append(self.name)

        Forwarding(Closing("lake")).close()
        assert closed == ["lake"]
