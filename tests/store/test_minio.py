"""MinIO, by the conformance suite."""

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
def served(minio_store: Served) -> Served:
    return minio_store


@pytest.fixture(scope="module")
def store(served: Served) -> Iterator[Store]:
    with closing(open_served(served)) as opened:
        yield opened


class TestMinIO(S3StoreConformance):
    lacks: ClassVar = {
        "leading-slash": "it stores /lead as lead and answers 200",
        "double-slash": "it refuses // in a key",
        "dot-segments": "it refuses . and .. as parts of a key",
        "long-keys": "a part of a key between slashes has at most 255 bytes",
        "object-and-folder": "its listings leave out a/b where there is an object a",
        "non-ascii-metadata": "it returns the value as an RFC 2047 encoded word",
    }
