"""SeaweedFS, by the conformance suite."""

from collections.abc import Iterator
from contextlib import closing
from typing import ClassVar

import pytest

from lakebed.store.contract import Store
from tests.fixtures_stores import Served
from tests.store.s3_conformance import S3StoreConformance, closed_port
from tests.store.served import open_served

__all__ = ["closed_port"]


@pytest.fixture(scope="module")
def served(seaweedfs_store: Served) -> Served:
    return seaweedfs_store


@pytest.fixture(scope="module")
def store(served: Served) -> Iterator[Store]:
    with closing(open_served(served)) as opened:
        yield opened


class TestSeaweedFS(S3StoreConformance):
    lacks: ClassVar = {
        "one-of-each-part": "it may list a part that was replaced, too",
        "unpack": "it keeps a tar as it is sent",
        "backslash": "it stores a backslash as / and answers 200",
        "leading-slash": "it stores /lead as lead and answers 200",
        "trailing-slash": "it makes a folder of a/ and drops its bytes",
        "double-slash": "it stores d//e as d/e and answers 200",
        "dot-segments": "it refuses . and .. as parts of a key",
        "long-keys": "a part of a key between slashes has at most 255 bytes",
        "no-renaming": "see leading-slash, double-slash and backslash",
        "no-phantom-folders": "it answers for a/ with an empty object where there is a/b",
        "folder-order": "it lists what is in a/ before a-b, as in a tree of folders",
    }
