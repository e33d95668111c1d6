"""What the server of processes imports: it says nothing of a name that is not there."""

import gc
import importlib
import sys

import pytest
from pydantic import SecretStr

from lakebed.executor.crew import preloaded
from lakebed.settings import Settings


@pytest.mark.parametrize("url", ["sqlite:///ledger.sqlite", "postgresql://there/ledger"])
def test_each_module_that_is_imported_beforehand_is_there(url: str) -> None:
    names = preloaded(Settings(ledger=SecretStr(url)))
    try:
        for name in names:
            assert importlib.import_module(name)
    finally:
        gc.unfreeze()
    assert ("psycopg" in names) == url.startswith("postgresql")
    assert {"lakebed.store.probe", "lakebed.transfer.sync", "pycurl"} <= sys.modules.keys()
