"""Folders of this machine as a store."""

from typing import ClassVar

import pytest

from lakebed.store.cancellation import Cancellation
from lakebed.store.contract import Store
from lakebed.store.folder.store import FolderStore
from tests.store.conformance import StoreConformance


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return FolderStore(Cancellation(), "folders", str(tmp_path_factory.mktemp("folders")))


class TestFolder(StoreConformance):
    lacks: ClassVar = {
        "checksums": "it compares neither parts nor the whole with their checksums",
        "copy-many": "files are copied one by one",
        "unpack": "files are written one by one",
        "attributes": "a file keeps no headers and no metadata",
        "dot-segments": "it refuses . and .. as parts of a key",
        "double-slash": "it refuses // in a key",
        "leading-slash": "it refuses a key that begins with /",
        "long-keys": "a part of a key between slashes has at most 255 bytes",
        "md5-etags": "it does not read a file to list it",
        "multipart-etags": "its ETags are revisions",
        "non-ascii-metadata": "a file keeps no metadata",
        "object-and-folder": "a name is a file or a folder",
        "object-as-folder": "a name is a file or a folder",
        "tags": "a file keeps no tags",
        "trailing-slash": "it refuses a key that ends in /",
    }
